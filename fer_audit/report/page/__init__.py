"""report.html: one self-contained file, rendered from result.json and the pictures beside it."""
