"""Configs, read strictly."""

from openstl_ext.config.loading import BLOCKS, identity, load
from openstl_ext.config.syntax import summary

__all__ = ["BLOCKS", "identity", "load", "summary"]
