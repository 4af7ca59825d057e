"""Tests of dataset/sources, one file a kind."""
