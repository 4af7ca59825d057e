"""What the audit must say: golden values, oracles, theorems and the edges of what can be computed."""
