"""Synthetic data: the simulations, and what writes them into the layout that datasets read."""
