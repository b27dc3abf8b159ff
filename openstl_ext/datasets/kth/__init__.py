"""KTH actions: dataset, files, windows and preparation."""

from openstl_ext.datasets.kth.dataset import KTH

__all__ = ["KTH"]
