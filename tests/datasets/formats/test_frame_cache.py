"""Cache of decoded videos, filled by several processes."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from openstl_ext.datasets.formats.frame_cache import FrameCache, map_video
from openstl_ext.errors import DataError

NAMES = [f"v{n}" for n in range(8)]


def fill(folder: Path, *, rank: int = 0, meanwhile: Callable[[], object] = int) -> list[str]:
    """Fill a cache from eight files, and return the names of the decoded ones.

    Args:
        folder: Folder of the files.
        rank: Number of the process.
        meanwhile: Called while the first file is decoded.
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
        assert map_video(path).tolist() == np.full((3, 4, 5), number).tolist()
    return decoded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / f"{name}.avi").write_text(name)
    return tmp_path


def test_cached_videos_are_not_decoded_again(folder: Path) -> None:
    """Each start of a run would take minutes."""
    assert sorted(fill(folder)) == NAMES
    assert fill(folder, rank=1) == []
    (folder / "v3.avi").write_text("another video")
    assert fill(folder) == ["v3"]
    assert len(list((folder / "cache").iterdir())) == 2 * len(NAMES)


def test_a_process_skips_videos_that_another_has_decoded(folder: Path) -> None:
    """Ranks would overwrite each other's files, or each would decode the full set."""
    theirs: list[str] = []
    ours = fill(folder, rank=0, meanwhile=lambda: theirs.extend(fill(folder, rank=1)))
    assert sorted(theirs) == NAMES
    assert len(ours) == 1
    assert theirs[0] != ours[0], "both start at the same file"
    assert len(list((folder / "cache").iterdir())) == 2 * len(NAMES)


def test_a_failed_decoding_leaves_no_file(folder: Path) -> None:
    """Half a video would be cached as a complete one."""

    def fail() -> np.ndarray:
        raise DataError("truncated")

    with pytest.raises(DataError, match="truncated"):
        FrameCache(folder / "cache").fill([("v0", [folder / "v0.avi"], fail)])
    assert not (folder / "cache").exists()


def test_a_truncated_cache_file_is_named(folder: Path) -> None:
    """A truncated file would end in a traceback of numpy."""
    fill(folder)
    (path,) = (folder / "cache").glob("v2-*.npy")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"v2-.*\.npy: .*delete it; the video is decoded again"):
        map_video(path)


def narrower(path: Path) -> None:
    np.save(path, np.load(path)[:, :, :-1])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def without_record(path: Path) -> None:
    path.with_suffix(".json").unlink()


def with_bad_record(path: Path) -> None:
    path.with_suffix(".json").write_text("{")


@pytest.mark.parametrize(
    "change", [narrower, flipped, without_record, with_bad_record, Path.unlink]
)
def test_an_array_that_was_not_written_by_the_cache_is_decoded_again(
    folder: Path, change: Callable[[Path], None]
) -> None:
    """Samples would change without a message."""
    fill(folder)
    (path,) = (folder / "cache").glob("v4-*.npy")
    change(path)
    assert fill(folder) == ["v4"]
    assert fill(folder) == []


def test_a_copied_cache_is_not_decoded_again(folder: Path) -> None:
    """Moving a set to another disk would cost the decoding of 599 films."""
    fill(folder)
    for path in (folder / "cache").glob("*.npy"):
        os.utime(path, (1, 1))
    assert fill(folder) == []
