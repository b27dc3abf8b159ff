"""Read JSON files into typed structures."""

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from openstl_ext.errors import DataError, nearest
from openstl_ext.text_file import MAX_BYTES, read_text

T = TypeVar("T")

LONG_NUMBER = re.compile(r"\d{309}")
"""Digits of a number that no float holds; converting it would end in an OverflowError."""


def read_json(
    path: Path | str, type_: type[T], *, advice: str = "", max_bytes: int = MAX_BYTES
) -> T:
    """Read a JSON file into a type, with the types of all fields checked.

    Args:
        path: The file, in UTF-8, or with a byte order mark.
        type_: A ``msgspec.Struct`` or any type that msgspec decodes, such as ``dict[str, float]``.
            A struct rejects unknown fields if it is declared with ``forbid_unknown_fields``.
        advice: Next step for the user, appended to the error message.
        max_bytes: Largest accepted size.

    Raises:
        DataError: If the file is missing, too large, nested too deeply, is not JSON, or does not
            match the type; the message names the file and the field.
    """
    then = f"; {advice}" if advice else ""
    try:
        text = read_text(Path(path), max_bytes=max_bytes)
    except DataError as error:
        raise DataError(f"{error}{then}") from None
    if LONG_NUMBER.search(text):
        raise DataError(f"{path}: has a number of more than 308 digits{then}")
    try:
        return msgspec.json.decode(text, type=type_)
    except RecursionError:
        raise DataError(f"{path}: brackets are nested too deeply{then}") from None
    except (ValueError, OverflowError) as error:  # errors of msgspec are ValueErrors
        raise DataError(f"{path}: {_with_nearest(str(error), type_)}{then}") from None


def entry_of(content: Any, type_: type[T], place: str) -> T:
    """Convert an entry of a JSON file to a type, so that messages can name it.

    Args:
        content: The entry, as decoded.
        type_: A ``msgspec.Struct``.
        place: File and entry, for messages.

    Raises:
        DataError: If the entry does not match the type.
    """
    try:
        return msgspec.convert(content, type_)
    except ValueError as error:
        raise DataError(f"{place}: {_with_nearest(str(error), type_)}") from None


def _with_nearest(message: str, type_: Any) -> str:
    """Append the nearest field name to msgspec's message about an unknown field."""
    match = re.search(r"unknown field `([^`]*)`$", message)
    fields = getattr(type_, "__struct_fields__", ())
    return f"{message}, {nearest(match[1], fields)}" if match and fields else message
