"""Clusters and labels to statements with counts, intervals and corrected p values."""
