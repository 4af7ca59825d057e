"""What must hold of pixels: one contract for every file, and rows that never move."""
