"""Files to pixels: decode once, resize once, keep as memory-mapped shards."""
