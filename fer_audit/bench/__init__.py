"""How fast each stage of a run is on this machine, beside the bare model."""
