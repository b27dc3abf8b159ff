"""Truncated and garbled files of every format."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openstl_ext.datasets.download.extract import unpack
from openstl_ext.datasets.formats.frame_file import frame_shape, read_frame
from openstl_ext.datasets.formats.idx import idx_bytes, read_idx_images
from openstl_ext.datasets.formats.npy import map_numbers
from openstl_ext.errors import DataError

VALUES = np.random.default_rng(0).integers(1, 255, (4, 5, 6), dtype=np.uint8)


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", VALUES.tobytes(), zipfile.ZIP_DEFLATED)


def read_zip(path: Path) -> None:
    unpack(path, path.parent / "out", place=lambda _: "a", max_bytes=1000)


FORMATS: dict[str, tuple[Callable[[Path], Any], list[Callable[[Path], Any]]]] = {
    "0.npy": (
        lambda path: np.save(path, VALUES),
        [lambda path: map_numbers(path, advice="get it again"), read_frame, frame_shape],
    ),
    "0.npz": (lambda path: np.savez_compressed(path, data=VALUES), [read_frame, frame_shape]),
    "a.gz": (lambda path: path.write_bytes(idx_bytes(VALUES)), [read_idx_images]),
    "a.zip": (write_zip, [read_zip]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_or_garbled_file_is_named(name: str, tmp_path: Path) -> None:
    """A partial download would end in a traceback of a library, or would be used."""
    write, readers = FORMATS[name]
    path = tmp_path / name
    write(path)
    data = path.read_bytes()
    for damaged in (data[: len(data) // 2], data[:-1], data[:20], b"", b"<html>404</html>"):
        path.write_bytes(damaged)
        for read in readers:
            with pytest.raises(DataError, match=name):
                read(path)


def test_an_array_of_texts_is_rejected(tmp_path: Path) -> None:
    """Texts would reach a net as an error of a tensor operation."""
    np.save(tmp_path / "a.npy", np.array(["a", "b"]))
    with pytest.raises(DataError, match=r"a\.npy: holds <U1, expected real numbers"):
        map_numbers(tmp_path / "a.npy", advice="")
