"""SpaceNet 7: buildings in monthly mosaics of Planet Dove."""

from openstl_ext.datasets.spacenet7.dataset import SpaceNet7

__all__ = ["SpaceNet7"]
