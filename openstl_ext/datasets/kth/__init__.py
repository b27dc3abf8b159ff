"""KTH actions: data set, file tree, windows and preparation."""

from openstl_ext.datasets.kth.dataset import KTH

__all__ = ["KTH"]
