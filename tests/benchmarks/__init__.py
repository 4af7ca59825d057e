"""Tests of the benchmarks that need nobody else's environment."""
