"""How fast each stage of a run is on this machine, compared with the bare model."""
