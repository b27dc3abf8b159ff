"""Decoding of films."""

import struct
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.formats.video import read_avi
from openstl_ext.datasets.synthetic.kth import write
from openstl_ext.errors import DataError


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("kth")
    write(root, num_frames=6, persons=(1,))
    return next(root.rglob("*.avi"))


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 40])
def test_a_film_written_to_a_pipe_is_read(film: Path, tmp_path: Path, length: int) -> None:
    """A whole film would be refused as cut off, because its header states no length."""
    data = bytearray(film.read_bytes())
    data[4:8] = struct.pack("<I", length)
    (tmp_path / "a.avi").write_bytes(data)
    np.testing.assert_array_equal(read_avi(tmp_path / "a.avi"), read_avi(film))


def test_a_film_that_is_cut_off_is_refused(film: Path, tmp_path: Path) -> None:
    """A shorter film would be read."""
    (tmp_path / "a.avi").write_bytes(film.read_bytes()[:-400])
    with pytest.raises(DataError, match=r"a\.avi: truncated"):
        read_avi(tmp_path / "a.avi")
