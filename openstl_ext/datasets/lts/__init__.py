"""Segmentation of long time series of satellite images: data set, forms on disk and preparation."""

from openstl_ext.datasets.lts.dataset import LTSSegmentation

__all__ = ["LTSSegmentation"]
