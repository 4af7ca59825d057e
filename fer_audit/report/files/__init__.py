"""A run on disk: JSON, rows, pictures, timings."""
