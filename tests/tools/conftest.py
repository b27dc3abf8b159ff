"""A folder with data and a config, and a way to call the scripts as users do."""

from tests.commands.conftest import call, place

__all__ = ["call", "place"]
