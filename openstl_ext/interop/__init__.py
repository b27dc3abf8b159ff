"""Weights and checkpoint files of other systems: one family per file, keyed by (source, class)."""

from openstl_ext.discovery import import_modules
from openstl_ext.interop.checkpoints import convert, read_weights
from openstl_ext.interop.state_dict_adapter import (
    NoAdapterError,
    StateDictAdapter,
    adapter_of,
    load,
)

import_modules(__name__)

__all__ = ["NoAdapterError", "StateDictAdapter", "adapter_of", "convert", "load", "read_weights"]
