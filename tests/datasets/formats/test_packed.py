"""The packed form."""

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.formats.packed import Pack, pack_folders
from openstl_ext.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0).random
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        for t in range(3):
            np.save(tmp_path / name / f"{t}.npy", draw((2, 4, 5)))
    return tmp_path


def test_a_pack_has_the_values_of_the_folders(root: Path) -> None:
    """Packing would change the data."""
    pack = pack_folders(root)
    assert pack.shape == pack.array.shape == (3, 3, 2, 4, 5)
    assert pack.array.dtype == np.float32
    for name, row in pack.rows.items():
        for frame, column in pack.columns.items():
            stored = np.load(root / name / f"{frame}.npy").astype(np.float32)
            np.testing.assert_array_equal(pack.array[row, column], stored)
    assert pack.is_intact()
    with pytest.raises(ValueError, match="read-only"):
        pack.array[0] = 1


def test_a_pickled_pack_has_no_values(root: Path) -> None:
    """Every spawned worker would receive a copy of the set."""
    pack = pack_folders(root)
    first = pack.array[0].copy()
    sent = pickle.dumps(pack)
    assert len(sent) < pack.array.nbytes + 1000
    np.testing.assert_array_equal(pickle.loads(sent).array[0], first)
    assert pickle.loads(sent)._array is None


def test_the_checksum_detects_a_changed_value(root: Path) -> None:
    """A flipped bit on the disk would remain in the data."""
    pack_folders(root)
    data = bytearray((root / "packed.npy").read_bytes())
    data[-1] ^= 1
    (root / "packed.npy").write_bytes(data)
    assert not Pack(root).is_intact()


@pytest.mark.parametrize("damage", ["short", "missing", "shape", "index", "count"])
def test_a_pack_that_differs_from_its_index_is_rejected(root: Path, damage: str) -> None:
    """Rows would be read under the names of other samples."""
    pack_folders(root)
    array, index = root / "packed.npy", root / "packed.json"
    data = array.read_bytes()
    if damage == "short":
        array.write_bytes(data[:-4])
    elif damage == "missing":
        array.unlink()
    elif damage == "shape":
        np.save(array, np.zeros((3, 3, 2, 5, 4), dtype=np.float32))
    elif damage == "index":
        index.write_text(index.read_text()[:-10])
    else:
        index.write_text(index.read_text().replace('"a",', ""))
    with pytest.raises(DataError, match=r"packed\.(npy|json)"):
        Pack(root)


def test_a_changed_folder_is_detected_and_a_copied_one_is_accepted(root: Path) -> None:
    """A model would train on old data, or a copy of the data would be read slowly."""
    pack = pack_folders(root)
    row, columns = pack.rows["b"], [0, 1, 2]
    assert pack.agrees_with(root / "b", row, columns)
    os.utime(root / "b/1.npy", (1, 1))  # as after a copy: other times, same values
    assert pack.agrees_with(root / "b", row, columns)
    values = np.load(root / "b/1.npy")
    values[0, 0, 0] += 1
    np.save(root / "b/1.npy", values)
    assert not pack.agrees_with(root / "b", row, columns)
    assert pack.agrees_with(root / "b", row, [0, 2])
    (root / "b/2.npy").unlink()
    assert not pack.agrees_with(root / "b", row, [2])


def test_samples_with_other_frames_or_shapes_are_rejected(root: Path) -> None:
    """A short sample would shift all later ones."""
    np.save(root / "c/1.npy", np.zeros((2, 5, 4)))
    with pytest.raises(DataError, match=r"c[/\\]1\.npy \(sample c\): shape \(2, 5, 4\)"):
        pack_folders(root)
    (root / "c/2.npy").unlink()
    with pytest.raises(DataError, match=r"2 frames from 0\.npy to 1\.npy"):
        pack_folders(root)
    for name in "abc":
        shutil.rmtree(root / name)
    with pytest.raises(DataError, match="no sample folders"):
        pack_folders(root)


def test_an_incomplete_pack_does_not_exist(root: Path) -> None:
    """A killed run would leave a pack of zeros."""
    np.save(root / "c/1.npy", np.full((2, 4, 5), np.nan))
    with pytest.raises(DataError, match="NaN"):
        pack_folders(root)
    assert not Pack.exists(root)
    assert not list(root.glob("*.part"))
