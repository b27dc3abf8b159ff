"""JSON files are read into typed structures."""

from pathlib import Path

import msgspec
import pytest

from openstl_ext.errors import DataError
from openstl_ext.json_file import read_json


class Size(msgspec.Struct, forbid_unknown_fields=True):
    """A small structure for these tests."""

    height: int
    unit: str = "m"


def test_fields_and_defaults_are_read(tmp_path: Path) -> None:
    """Files would be read with wrong values."""
    path = tmp_path / "size.json"
    path.write_text('{"height": 3}')

    assert read_json(path, Size) == Size(height=3, unit="m")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "truncated"),
        ('{"height": NaN}', "malformed"),
        ('{"height": "3"}', "Expected `int`, got `str` - at `$.height`"),
        ('{"unit": "m"}', "missing required field `height`"),
        ('{"height": 3, "hight": 4}', "unknown field `hight`, did you mean 'height'?"),
    ],
)
def test_a_mistake_is_one_sentence_with_file_field_and_advice(
    tmp_path: Path, text: str, reason: str
) -> None:
    """Users would get a traceback instead of the place of their mistake."""
    path = tmp_path / "size.json"
    path.write_text(text)

    with pytest.raises(DataError) as caught:
        read_json(path, Size, advice="write it again")

    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert message.endswith("; write it again")


def test_bytes_that_are_not_utf8_and_a_missing_file_are_data_errors(tmp_path: Path) -> None:
    """Users would get a traceback from the library."""
    path = tmp_path / "size.json"
    with pytest.raises(DataError, match="No such file"):
        read_json(path, Size)
    path.write_bytes(b'{"height": 3, "unit": "\xff"}')
    with pytest.raises(DataError, match=r"size\.json"):
        read_json(path, Size)
