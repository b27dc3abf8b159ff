"""Parameters, FLOPs and frames per second."""

from openstl_ext.profiling import scan  # noqa: F401  # teaches the counter what it does not know
