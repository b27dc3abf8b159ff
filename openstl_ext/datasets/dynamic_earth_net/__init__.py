"""DynamicEarthNet: monthly land cover from daily images of Planet Fusion."""

from openstl_ext.datasets.dynamic_earth_net.dataset import DynamicEarthNet

__all__ = ["DynamicEarthNet"]
