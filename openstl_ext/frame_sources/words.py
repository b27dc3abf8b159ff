"""Names of channels and sequences, from texts and numbers in files."""

import re
from typing import Any

import numpy as np


def as_word(text: str) -> str:
    """Return a text as one word, as names of scores and files need it."""
    return re.sub(r"[\s@\[\]/\\]+", "_", text.strip()) or "_"


def text_of(value: Any) -> str:
    """Return a coordinate as text; whole numbers without a point."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)
