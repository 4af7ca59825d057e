"""How the bytes of an image are had: one file a kind of source."""
