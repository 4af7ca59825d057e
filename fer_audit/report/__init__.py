"""Statements to text: terminal, JSON and tables."""
