"""Record of a run, tables and the leaderboard. Does not import torch."""
