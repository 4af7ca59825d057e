"""Vectors to clusters: mini-batch K-Means with many starts and a full-space polish."""
