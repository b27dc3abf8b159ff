"""Parameters, FLOPs, speed and memory of a method."""
