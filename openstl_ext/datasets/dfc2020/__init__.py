"""DFC2020: land cover from Sentinel-2 and Sentinel-1."""

from openstl_ext.datasets.dfc2020.dataset import DFC2020

__all__ = ["DFC2020"]
