"""Decoded videos on disk, which several processes may fill."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from openstl_ext.datasets.formats.frame_cache import FrameCache, opened
from openstl_ext.errors import DataError

NAMES = [f"v{n}" for n in range(8)]


def fill(folder: Path, *, rank: int = 0, meanwhile: Callable[[], object] = int) -> list[str]:
    """Fill a cache from eight files, as one of several processes; which of them it decoded.

    Args:
        folder: Where the files lie.
        rank: Which process.
        meanwhile: What happens while the first file is decoded.
    """
    decoded: list[str] = []

    def decode(name: str) -> np.ndarray:
        decoded.append(name)
        if len(decoded) == 1:
            meanwhile()
        return np.full((3, 4, 5), int(name[1:]), np.uint8)

    videos = [(name, [folder / f"{name}.avi"], partial(decode, name)) for name in NAMES]
    with mock.patch("os.getpid", return_value=1000 + rank):
        paths = FrameCache(folder / "cache").fill(videos)
    for number, path in enumerate(paths):
        assert opened(path).tolist() == np.full((3, 4, 5), number).tolist()
    return decoded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / f"{name}.avi").write_text(name)
    return tmp_path


def test_what_is_there_is_not_decoded_again(folder: Path) -> None:
    """If this fails, each start of a run takes minutes."""
    assert sorted(fill(folder)) == NAMES
    assert fill(folder, rank=1) == []
    (folder / "v3.avi").write_text("another film")
    assert fill(folder) == ["v3"]
    assert len(list((folder / "cache").iterdir())) == len(NAMES)


def test_a_process_skips_what_another_has_finished_meanwhile(folder: Path) -> None:
    """If this fails, ranks write over each other, or each decodes the whole set."""
    theirs: list[str] = []
    ours = fill(folder, rank=0, meanwhile=lambda: theirs.extend(fill(folder, rank=1)))
    assert sorted(theirs) == NAMES
    assert len(ours) == 1
    assert theirs[0] != ours[0], "they begin at the same file and stay side by side"
    assert len(list((folder / "cache").iterdir())) == len(NAMES)


def test_a_failed_decoding_leaves_nothing(folder: Path) -> None:
    """If this fails, half a film is cached and taken for whole."""

    def fail() -> np.ndarray:
        raise DataError("cut off")

    with pytest.raises(DataError, match="cut off"):
        FrameCache(folder / "cache").fill([("v0", [folder / "v0.avi"], fail)])
    assert not (folder / "cache").exists()


def test_a_cached_file_that_went_bad_is_named(folder: Path) -> None:
    """If this fails, a full disk yesterday is noise in the frames today."""
    fill(folder)
    (path,) = (folder / "cache").glob("v2-*")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"v2-.*\.npy: .*delete it; it is decoded anew"):
        opened(path)
    np.save(path, np.zeros((3, 4), np.uint8))
    with pytest.raises(DataError, match="is no video"):
        opened(path)
