"""One file a section: the only place that words it. `fer_audit.report.report` holds the list."""
