"""fer-audit as a peer: the model alone, from a pack, cold, and the clustering."""
