"""Renderers: each kind of block once, hostile names, and whole reports."""
