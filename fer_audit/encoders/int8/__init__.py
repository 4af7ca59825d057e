"""A float network rewritten with 8-bit integers; nothing of it is imported by a run in another precision."""
