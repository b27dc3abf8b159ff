"""Segmentation of long time series of satellite images: dataset, file formats, preparation."""

from openstl_ext.datasets.lts.dataset import LTSSegmentation

__all__ = ["LTSSegmentation"]
