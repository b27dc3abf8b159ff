"""Boiling simulation: dataset and preparation."""

from openstl_ext.datasets.boiling.dataset import Boiling

__all__ = ["Boiling"]
