"""Strict loading of configs."""

from openstl_ext.config.loading import BLOCKS, identity, load
from openstl_ext.config.names import config_names, find_config, installed_configs
from openstl_ext.config.recipes import Recipe
from openstl_ext.config.syntax import summary

__all__ = [
    "BLOCKS",
    "Recipe",
    "config_names",
    "find_config",
    "identity",
    "installed_configs",
    "load",
    "summary",
]
