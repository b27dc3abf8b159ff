"""The boiling simulation: data set and its generator."""

from openstl_ext.datasets.boiling.dataset import Boiling

__all__ = ["Boiling"]
