"""Frames on disk in the formats of users, read in place: one module for each format."""

from openstl_ext.frame_sources.opening import open_source
from openstl_ext.frame_sources.source import FrameSequence, FrameSource, ReadOptions

__all__ = ["FrameSequence", "FrameSource", "ReadOptions", "open_source"]
