"""What to do about what an audit found: lists of files, subsets, splits."""
