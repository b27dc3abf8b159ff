"""BigEarthNet, versions 1 and 2: multi-label classification and reference maps."""

from openstl_ext.datasets.bigearthnet.dataset import BigEarthNet, BigEarthNetMaps

__all__ = ["BigEarthNet", "BigEarthNetMaps"]
