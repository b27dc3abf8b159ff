"""Formats of the leaderboard: one module each, with ``SUFFIX`` and ``write(board) -> str``."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from openstl_ext.errors import UserError, nearest
from openstl_ext.results.board import Board

Writer = Callable[[Board], str]


def writers() -> dict[str, Writer]:
    """Return the function of each format by its file suffix."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return {module.SUFFIX: module.write for module in modules}


def writer_of(suffix: str) -> Writer:
    """Return the function that writes a format.

    Raises:
        UserError: If there is no such format; the message has the nearest one.
    """
    known = writers()
    if suffix not in known:
        raise UserError(f"there is no format {suffix!r}; {nearest(suffix, known)}")
    return known[suffix]
