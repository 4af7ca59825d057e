"""One file a dataset format."""
