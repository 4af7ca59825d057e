"""The real job on the real set; needs the archive beside the checkout."""
