"""Folders of pictures as sources of frames."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openstl_ext.errors import DataError
from openstl_ext.frame_sources import ReadOptions, open_source

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (12, 6, 8, 3), np.uint8)


def write(folder: Path, frames: np.ndarray, suffix: str = ".png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"f{number}{suffix}")
    return folder


def test_a_folder_is_one_sequence_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    """f10 would come before f2, and the net would learn a wrong order."""
    source = open_source(write(tmp_path / "clip", RGB))
    assert [(s.name, s.num_frames) for s in source.sequences] == [("clip", 12)]
    assert [str(c) for c in source.channels] == ["red (1)", "green (1)", "blue (1)"]
    assert source.size == (6, 8)
    read = source.read(0, 1, 11)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, np.moveaxis(RGB, -1, 1)[1:11])


def test_folders_are_sequences(tmp_path: Path) -> None:
    """Frames of different scenes would form one sequence."""
    for name, length in (("b10", 3), ("b2", 5)):
        write(tmp_path / name, RGB[:length])
    (tmp_path / "notes").mkdir()
    source = open_source(tmp_path)
    assert [(s.name, s.num_frames) for s in source.sequences] == [("b2", 5), ("b10", 3)]
    assert [p.name for p in source.frame_files(1)] == ["f0.png", "f1.png", "f2.png"]


def test_grey_is_the_luma_of_the_colours(tmp_path: Path) -> None:
    """Grey frames would differ from those of Pillow and OpenCV."""
    read = open_source(write(tmp_path, RGB), ReadOptions(grey=True)).read(0, 0, 12)
    expected = np.stack([np.asarray(Image.fromarray(frame).convert("L")) for frame in RGB])
    assert read.shape == (12, 1, 6, 8)
    assert np.abs(read[:, 0].astype(int) - expected).max() <= 1


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    """Values of a scientific camera would be cut to 8 bits."""
    values = RNG.integers(0, 65536, (2, 6, 8)).astype(np.uint16)
    source = open_source(write(tmp_path, values))
    assert source.dtype == np.uint16
    np.testing.assert_array_equal(source.read(0, 0, 2)[:, 0], values)


def test_transparency_is_kept_or_left_out_as_stated(tmp_path: Path) -> None:
    """A constant channel would be trained and scored without the user's knowledge."""
    rgba = np.concatenate([RGB, np.full_like(RGB[..., :1], 255)], -1)
    write(tmp_path, rgba)
    with pytest.raises(DataError, match="leave it out with --channels red,green,blue"):
        open_source(tmp_path)
    read = open_source(tmp_path, ReadOptions(channels=("blue", "red"))).read(0, 0, 1)
    np.testing.assert_array_equal(read[0], np.moveaxis(RGB[0], -1, 0)[[2, 0]])


def test_mixed_sizes_and_modes_name_both_files(tmp_path: Path) -> None:
    """Training would stop in the middle of an epoch with an error of collation."""
    write(tmp_path, RGB[:3])
    Image.fromarray(RGB[0, :4]).save(tmp_path / "f7.png")
    with pytest.raises(DataError, match=r"f7\.png: 4 x 8 pixels \(RGB\), but .*f0\.png has 6 x 8"):
        open_source(tmp_path)
    Image.fromarray(RGB[0, ..., 0]).save(tmp_path / "f7.png")
    with pytest.raises(DataError, match=r"\(L\), but .*one size and one mode"):
        open_source(tmp_path)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    """A truncated frame would be filled with grey."""
    path = write(tmp_path, RGB) / "f3.png"
    path.write_bytes(path.read_bytes()[:120])
    with pytest.raises(DataError, match=r"f3\.png: damaged picture"):
        open_source(tmp_path).read(0, 0, 12)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"f3\.png: not a readable picture"):
        open_source(tmp_path)


def test_pictures_beside_folders_of_pictures_are_refused(tmp_path: Path) -> None:
    """A part of the pictures would be left out silently."""
    write(tmp_path, RGB[:1])
    write(tmp_path / "a", RGB[:2])
    with pytest.raises(DataError, match="move the pictures into a folder of their own"):
        open_source(tmp_path)
