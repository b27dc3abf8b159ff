"""Frames written in the formats of users, atomically: one module for each format."""

from openstl_ext.frame_sinks.output import Output
from openstl_ext.frame_sinks.times import continue_times
from openstl_ext.frame_sinks.writing import suffix_like, write_like

__all__ = ["Output", "continue_times", "suffix_like", "write_like"]
