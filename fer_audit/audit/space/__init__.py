"""The latent space before any clustering: how groups overlap, and how their images were taken."""
