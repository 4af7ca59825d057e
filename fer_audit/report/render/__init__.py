"""One renderer a medium: terminal, page, markdown."""
