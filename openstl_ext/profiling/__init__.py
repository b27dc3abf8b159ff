"""Parameters, FLOPs and frames per second."""
