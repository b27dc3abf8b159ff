"""Read text files that any editor or system may have written."""

import codecs
from pathlib import Path

from openstl_ext.errors import DataError

MAX_BYTES = 1 << 28
"""Largest text file that is read; the loader file of a million frames has half of it."""
MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks and their encodings; Notepad and PowerShell write UTF-8 and UTF-16 with one."""


def read_text(path: Path, *, encoding: str = "utf-8", max_bytes: int = MAX_BYTES) -> str:
    r"""Read a text file, with any byte order mark and any line ends; lines end with ``\n``.

    Args:
        path: The file.
        encoding: Encoding of a file without a byte order mark.
        max_bytes: Largest accepted size.

    Raises:
        DataError: If it cannot be read, is no regular file, is too large, or is not such a text.
    """
    try:
        if path.exists() and not path.is_file():  # reading a pipe or a device may never end
            raise DataError(f"{path}: not a file")
        if (size := path.stat().st_size) > max_bytes:
            raise DataError(f"{path}: {size:,} bytes, such a file has at most {max_bytes:,}")
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None
    marked = next((name for mark, name in MARKS if data.startswith(mark)), encoding)
    try:
        text = data.decode(marked)
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a text in {marked.upper()}; save it as UTF-8") from None
    if "\0" in text:  # UTF-16 without a mark, or no text
        raise DataError(f"{path}: has NUL characters; save it as a text in UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file, without blanks at their ends and without empty lines.

    Raises:
        DataError: As ``read_text``.
    """
    lines = (line.rstrip() for line in read_text(path).split("\n"))
    return [line for line in lines if line]
