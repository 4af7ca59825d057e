"""The demo set: the same everywhere, tied where it says so and nowhere else."""
