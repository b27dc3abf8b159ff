"""Whatever byte is wrong, a reader says which file it is in, or reads what was written."""

import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.download.extract import unpack
from openstl_ext.datasets.formats.idx import idx_bytes, read_idx_images
from openstl_ext.datasets.formats.npy import map_npy
from openstl_ext.datasets.formats.npz import count_rows, read_rows
from openstl_ext.errors import DataError

VALUES = np.random.default_rng(0).integers(1, 255, (4, 5, 6), dtype=np.uint8)


def read_npz(path: Path) -> np.ndarray:
    count = count_rows(path, "x", (5, 6), advice="get it anew")
    return read_rows(path, "x", (5, 6), slice(0, count), advice="get it anew")


def read_zip(path: Path) -> np.ndarray:
    folder = path.parent / "out"
    shutil.rmtree(folder, ignore_errors=True)
    unpack(path, folder, place=lambda _: "a", max_bytes=1000)
    return np.frombuffer((folder / "a").read_bytes(), np.uint8).reshape(VALUES.shape)


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", VALUES.tobytes(), zipfile.ZIP_DEFLATED)


KINDS: dict[str, tuple[Callable, Callable, bool]] = {
    # how it is written, how it is read, and whether it holds a checksum of its values
    "a.npy": (
        lambda path: np.save(path, VALUES),
        lambda p: map_npy(p, advice="get it anew"),
        False,
    ),
    "a.npz": (lambda path: np.savez(path, x=VALUES.astype(np.float32)), read_npz, True),
    "a.gz": (lambda path: path.write_bytes(idx_bytes(VALUES)), read_idx_images, True),
    "a.zip": (write_zip, read_zip, True),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_named_or_harmless(name: str, tmp_path: Path) -> None:
    """If this fails, one bad byte is a traceback from deep within, or a wrong value."""
    write, read, sums_values = KINDS[name]
    path, chance = tmp_path / name, random.Random(0)
    write(path)
    np.testing.assert_array_equal(read(path), VALUES)
    whole = path.read_bytes()
    refused: list[str] = []
    for _ in range(200):
        data = bytearray(whole)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        else:
            at = chance.randrange(len(data) if sums_values else 128)
            data[at] ^= chance.randrange(1, 256)
        path.write_bytes(data)
        try:
            values = read(path)
        except DataError as error:
            refused.append(str(error))
        else:
            assert sorted(values.flatten()) == sorted(VALUES.flatten())
    assert len(refused) > 60
    assert all(name in message for message in refused)
