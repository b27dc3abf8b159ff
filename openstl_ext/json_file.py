"""Read JSON files into typed structures."""

import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from openstl_ext.errors import DataError, nearest

T = TypeVar("T")


def read_json(path: Path | str, type_: type[T], *, advice: str = "") -> T:
    """Read a JSON file into a type, with the types of all fields checked.

    Args:
        path: The file.
        type_: A ``msgspec.Struct`` or any type that msgspec decodes, such as ``dict[str, float]``.
            A struct rejects unknown fields if it is declared with ``forbid_unknown_fields``.
        advice: Next step for the user, appended to the error message.

    Raises:
        DataError: If the file is missing, is not JSON, or does not match the type; the message
            names the file and the field.
    """
    path = Path(path)
    try:
        return msgspec.json.decode(path.read_bytes().removeprefix(BOM_UTF8), type=type_)
    # msgspec and UTF-8 errors are ValueErrors; nesting beyond a limit is a RecursionError
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else _with_nearest(str(error), type_)
        raise DataError(f"{path}: {reason}" + (f"; {advice}" if advice else "")) from None


def _with_nearest(message: str, type_: Any) -> str:
    """Append the nearest field name to msgspec's message about an unknown field."""
    match = re.search(r"unknown field `(.*)`$", message)
    fields = getattr(type_, "__struct_fields__", ())
    return f"{message}, {nearest(match[1], fields)}" if match and fields else message
