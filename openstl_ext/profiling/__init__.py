"""Parameters, FLOPs and frames per second of a method."""
