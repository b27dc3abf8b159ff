"""Text files of any editor, and JSON files within bounds."""

from pathlib import Path
from typing import Any

import pytest

from openstl_ext.datasets.lts.patches import names_of
from openstl_ext.errors import DataError
from openstl_ext.json_file import read_json
from openstl_ext.text_file import read_lines, read_text

TEXT = "site_a\nsite b\n\u00e9t\u00e9\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "  \r\n", "\t\n\n"])
def test_what_editors_of_any_system_write_is_read(tmp_path: Path, encoding: str, end: str) -> None:
    r"""The first name would be "\ufeffsite_a", and its sample would not be found."""
    path = tmp_path / "train.txt"
    path.write_bytes(TEXT.replace("\n", end).encode(encoding))
    assert read_lines(path) == ["site_a", "site b", "\u00e9t\u00e9"]
    assert names_of(path) == ["site_a", "site b", "\u00e9t\u00e9"]
    assert "\r" not in read_text(path)
    path.write_bytes('{"a": 1}'.replace("1", "1" + end).encode(encoding))
    assert read_json(path, dict[str, int]) == {"a": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xe9t\xe9", "not a text in UTF-8; save it as UTF-8"),
        ("a\n".encode("utf-16-le"), "NUL characters"),
        (b"\xff\xfea", "not a text in UTF-16"),
    ],
)
def test_other_bytes_are_refused_by_name(tmp_path: Path, data: bytes, message: str) -> None:
    """Names would be garbled."""
    (tmp_path / "train.txt").write_bytes(data)
    with pytest.raises(DataError, match=rf"train\.txt: .*{message}"):
        read_lines(tmp_path / "train.txt")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"a": 1' + "0" * 400 + "}", "more than 308 digits"),
        ('{"a": 1e400}', "out of range"),
    ],
)
def test_json_beyond_all_bounds_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    """A small file would end in a RecursionError or an OverflowError."""
    path = tmp_path / "stack.json"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"stack\.json: .*{message}"):
        read_json(path, Any)  # type: ignore[arg-type]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """A small download would fill the memory."""
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(DataError, match=r"a\.json: 1,099,511,627,776 bytes"):
        read_json(tmp_path / "a.json", dict[str, int])
