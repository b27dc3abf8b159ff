"""SICKLE: crops of plots in time series of three sensors."""

from openstl_ext.datasets.sickle.dataset import SICKLE

__all__ = ["SICKLE"]
