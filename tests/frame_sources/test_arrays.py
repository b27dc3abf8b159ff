"""Arrays as sources of frames."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext.errors import DataError
from openstl_ext.frame_sources import ReadOptions, open_source

SHAPE = (2, 5, 3, 4, 6)  # N, T, C, H, W


def frames() -> np.ndarray:
    return np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)


def save(folder: Path, array: np.ndarray) -> Path:
    np.save(folder / "a.npy", array)
    return folder / "a.npy"


@pytest.mark.parametrize("axes", ["NTCHW", "NTHWC", "CWHTN", "nthwc"])
def test_stated_axes_are_brought_into_order(tmp_path: Path, axes: str) -> None:
    """Height and width, or time and channel, would be exchanged silently."""
    order = ["NTCHW".index(letter) for letter in axes.upper()]
    source = open_source(save(tmp_path, frames().transpose(order)), ReadOptions(axes=axes))
    assert source.size == (4, 6)
    assert [s.num_frames for s in source.sequences] == [5, 5]
    assert [c.name for c in source.channels] == ["0", "1", "2"]
    read = source.read(1, 1, 4)
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read, frames()[1, 1:4])


def test_three_axes_are_one_sequence_of_one_channel(tmp_path: Path) -> None:
    """The simplest array would need an option."""
    source = open_source(save(tmp_path, frames()[0, :, 0]))
    assert len(source.sequences) == 1
    np.testing.assert_array_equal(source.read(0, 0, 5), frames()[0, :, :1])


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (frames(), ReadOptions(), r"5 axes, whose order is not stated; add --axes, such as NTCHW"),
        (frames()[0], ReadOptions(), r"4 axes.*add --axes, such as TCHW"),
        (frames()[0, 0, 0], ReadOptions(), r"4 x 6 is no sequence"),
        (frames(), ReadOptions(axes="NTHW"), r"names 4 axes, but the array has 5"),
        (frames(), ReadOptions(axes="NTCHX"), r"'X' is no axis"),
        (frames(), ReadOptions(axes="NTCWW"), r"needs T, H and W once"),
        (frames(), ReadOptions(axes="NTCHW", channels=("a",)), r"3 channels, but --channels names"),
        (frames()[:0], ReadOptions(axes="NTCHW"), r"empty"),
        (frames().astype(complex), ReadOptions(axes="NTCHW"), r"complex128"),
    ],
)
def test_what_is_open_or_wrong_is_named(
    tmp_path: Path, array: np.ndarray, options: ReadOptions, message: str
) -> None:
    """Frames would be read in a guessed order."""
    with pytest.raises(DataError, match=message):
        open_source(save(tmp_path, array), options)


def test_nodata_becomes_nan(tmp_path: Path) -> None:
    """A fill value such as -999 would be learned as a value."""
    array = frames()[0, :, 0]
    array[2, 1, 1] = -999
    read = open_source(save(tmp_path, array), ReadOptions(nodata=-999)).read(0, 0, 5)
    assert read.dtype == np.float32
    assert np.argwhere(np.isnan(read)).tolist() == [[2, 0, 1, 1]]


def test_every_second_frame_is_taken(tmp_path: Path) -> None:
    """The time step would be another one than the user has chosen."""
    source = open_source(save(tmp_path, frames()[0, :, 0]), ReadOptions(every=2))
    np.testing.assert_array_equal(source.read(0, 0, 3), frames()[0, ::2, :1])


def test_an_npz_with_several_arrays_needs_the_name_of_one(tmp_path: Path) -> None:
    """The first array would be taken by chance."""
    path = tmp_path / "a.npz"
    np.savez(path, rain=frames()[0, :, 0], wind=frames()[0, :, 1])
    with pytest.raises(DataError, match="has the arrays rain, wind; choose one with --variable"):
        open_source(path)
    with pytest.raises(DataError, match="did you mean 'rain'"):
        open_source(path, ReadOptions(variable="rein"))
    read = open_source(path, ReadOptions(variable="wind")).read(0, 0, 5)
    np.testing.assert_array_equal(read, frames()[0, :, 1:2])


def test_a_path_without_frames_is_refused(tmp_path: Path) -> None:
    """The message would be that of a library."""
    with pytest.raises(DataError, match="no such file"):
        open_source(tmp_path / "b.npy")
    (tmp_path / "c.txt").write_text("x")
    with pytest.raises(DataError, match=r"expected a file or folder of arrays, .*images"):
        open_source(tmp_path / "c.txt")
    (tmp_path / "e/1").mkdir(parents=True)
    np.save(tmp_path / "e/1/0.npy", frames()[0, 0])
    with pytest.raises(DataError, match="split them with `openstl-ext data split --data_path"):
        open_source(tmp_path / "e")
    (tmp_path / "d.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(DataError, match=r"d\.npy: not a readable array"):
        open_source(tmp_path / "d.npy")
