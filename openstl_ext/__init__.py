"""A plugin benchmark framework for spatio-temporal forecasting and mapping.

Importing the package imports no torch: the leaderboard and the tables run on a laptop in a second.
"""

__version__ = "0.1.0"
