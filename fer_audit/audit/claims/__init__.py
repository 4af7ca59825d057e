"""The claim ladder: whether clusters sort people, and what is left of that among images alike in everything else."""
