"""Pixels to vectors: the same row whatever surrounds it, from the provider that was asked for."""
