"""Who is in the set: readers for face datasets, and nothing about pixels."""
