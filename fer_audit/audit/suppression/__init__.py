"""What --min-cell withholds before a report is shared."""
