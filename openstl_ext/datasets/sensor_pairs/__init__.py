"""Pairs of images of one place by different sensors: data set, lists and footprints."""

from openstl_ext.datasets.sensor_pairs.dataset import SensorPairs

__all__ = ["SensorPairs"]
