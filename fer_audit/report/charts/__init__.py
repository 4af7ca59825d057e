"""Every chart of the reports: records in, a `Chart` out. matplotlib draws, nothing here computes a statistic."""
