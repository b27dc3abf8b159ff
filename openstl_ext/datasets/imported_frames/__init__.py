"""Frames of any kind that a user has imported: read in place, or from a converted copy."""

from openstl_ext.datasets.imported_frames.dataset import ImportedFrames

__all__ = ["ImportedFrames"]
