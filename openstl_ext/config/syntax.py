"""Syntax of config files: how a text becomes a syntax tree, and which values are plain."""

import ast
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openstl_ext.errors import ConfigError, shown

MAX_BYTES = 1_000_000
"""Largest config file; the recipes of this package have less than 3,000 bytes."""
MAX_DEPTH = 50
"""Levels of nested values, or of nested operators of an expression."""
MAX_BITS = 64
"""Bits of a whole number."""


def parse_file(path: Path) -> ast.Module:
    """Parse a config file.

    Raises:
        ConfigError: If there is no such file, or it is too large, or it is not Python.
    """
    if not path.is_file():
        raise ConfigError(f"there is no config {path}")
    if path.suffix != ".py":
        raise ConfigError(f"{path}: a config is a Python file, so its name ends in .py")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise ConfigError(
            f"{path}: a config has at most {MAX_BYTES:,} bytes, and this has {size:,}"
        )
    try:
        return ast.parse(path.read_text(encoding="utf-8-sig"))
    except SyntaxError as error:
        raise ConfigError(f"{path}, line {error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}; save it as UTF-8 text") from None
    except (MemoryError, RecursionError):  # the parser's limits of nesting
        raise ConfigError(f"{path}: values are nested deeper than {MAX_DEPTH} levels") from None


def parse_value(text: str) -> ast.expr:
    """Parse one expression.

    Raises:
        ValueError: If the text is not an expression.
    """
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(str(error)) from None
    except (MemoryError, RecursionError):
        raise ValueError("nested too deeply") from None


def summary(path: Path) -> str:
    """Return the first line of a config's docstring; empty without one."""
    return (ast.get_docstring(parse_file(path)) or "").partition("\n")[0]


def not_plain(value: Any, where: str = "") -> Iterator[str]:
    """Yield the dotted key and the type of each value that is not plain."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield f"{where}: the key {shown(key)} is not a string"
            yield from not_plain(inner, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from not_plain(inner, f"{where}.{index}")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{where} is {value}, which a config file cannot hold; leave the key out, or use None"
    elif type(value) is int and value.bit_length() > MAX_BITS:
        yield f"{where} is a whole number of more than {MAX_BITS} bits"
    elif value is not None and type(value) not in (str, int, float, bool):
        yield f"{where} is a {type(value).__name__}, which is not a plain value"
