"""Weights, graphs and sidecars: the network is the one that was published, or there is none."""
