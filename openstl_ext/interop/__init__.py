"""Weights and files of other systems: one family a file, known by (source, class)."""

from openstl_ext.discovery import import_modules
from openstl_ext.interop.checkpoints import convert, read_weights
from openstl_ext.interop.counterparts import Counterpart, NotBuiltError, counterpart, load

import_modules(__name__)

__all__ = ["Counterpart", "NotBuiltError", "convert", "counterpart", "load", "read_weights"]
