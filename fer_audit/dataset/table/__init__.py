"""Tables of labels: bytes to columns, columns to roles, rows to images."""
