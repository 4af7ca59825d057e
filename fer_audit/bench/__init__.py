"""How fast each stage is on this machine, how near to its limit, and which settings suit it."""
