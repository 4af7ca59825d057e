"""Sections as data: which blocks, sentences and cells they make of a result."""
