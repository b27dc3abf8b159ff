"""Videos that OpenCV writes, read as frames."""

import pickle
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.frame_sources import ReadOptions, open_source
from openstl_ext.frame_sources.opening import readers

readers()  # silences FFmpeg, before the first video is written


def frames_of(count: int = 12, size: tuple[int, int] = (24, 32)) -> NDArray[np.uint8]:
    """Return RGB frames (T, H, W, 3): red counts the frames, green marks the left, blue the top."""
    frames = np.zeros((count, *size, 3), np.uint8)
    frames[..., 0] = (20 * np.arange(count))[:, None, None]
    frames[:, :, :8, 1] = 100
    frames[:, :6, :, 2] = 200
    return frames


def write_video(path: Path, frames: Iterable[NDArray[np.uint8]], codec: str = "FFV1") -> Path:
    """Write RGB frames; the codec FFV1 loses nothing."""
    frames = list(frames)
    height, width = frames[0].shape[:2]
    code = cv2.VideoWriter.fourcc(*codec)
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, 10, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame[:, :, ::-1])
    writer.release()
    return path


def planes(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return frames.transpose(0, 3, 1, 2)


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_the_frames_of_a_video_are_read_exactly_in_red_green_blue(
    tmp_path: Path, suffix: str
) -> None:
    """OpenCV's blue, green, red would swap two channels in every model."""
    path = write_video(tmp_path / f"a{suffix}", frames_of())
    source = open_source(path, ReadOptions())
    assert [c.name for c in source.channels] == ["red", "green", "blue"]
    assert (source.size, source.dtype) == ((24, 32), np.uint8)
    assert [(s.name, s.num_frames, s.times) for s in source.sequences] == [("a", 12, None)]
    np.testing.assert_array_equal(source.read(0, 0, 12), planes(frames_of()))
    assert source.frame_files(0) == [path]


def test_frames_are_read_in_any_order_and_from_a_copy_in_another_process(tmp_path: Path) -> None:
    """A worker that reads at random would get the frame after the one it asked for."""
    source = open_source(write_video(tmp_path / "a.avi", frames_of()), ReadOptions())
    expected = planes(frames_of())
    for start, stop in ((5, 8), (8, 10), (2, 3), (0, 2), (11, 12), (0, 1)):
        np.testing.assert_array_equal(source.read(0, start, stop), expected[start:stop])
    copy = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(copy.read(0, 3, 5), expected[3:5])


def test_every_third_frame_in_grey(tmp_path: Path) -> None:
    """The step would be another than stated, or the grey another mixture."""
    path = write_video(tmp_path / "a.avi", frames_of(11))
    source = open_source(path, ReadOptions(every=3, grey=True))
    assert [c.name for c in source.channels] == ["grey"]
    assert source.sequences[0].num_frames == 4
    luma = frames_of(11)[::3] @ np.array([0.299, 0.587, 0.114])
    found = source.read(0, 0, 4)
    assert found.shape == (4, 1, 24, 32)
    assert np.abs(found[:, 0] - luma).max() <= 0.51


def test_an_mp4_loses_little(tmp_path: Path) -> None:
    """The commonest container would not open."""
    source = open_source(write_video(tmp_path / "a.mp4", frames_of(), "mp4v"), ReadOptions())
    assert source.sequences[0].num_frames == 12
    errors = np.abs(source.read(0, 0, 12).astype(int) - planes(frames_of()))
    assert errors.mean() < 4


def test_a_folder_of_videos_has_a_sequence_for_each(tmp_path: Path) -> None:
    """Two videos would be taken for one, with a cut inside of a sample."""
    write_video(tmp_path / "b.avi", frames_of(5))
    write_video(tmp_path / "a.avi", frames_of(3))
    (tmp_path / "notes.txt").write_text("about")
    source = open_source(tmp_path, ReadOptions())
    assert [(s.name, s.num_frames) for s in source.sequences] == [("a", 3), ("b", 5)]
    np.testing.assert_array_equal(source.read(1, 4, 5), planes(frames_of(5))[4:])
    np.testing.assert_array_equal(source.read(0, 0, 1), planes(frames_of(1)))


def test_videos_of_two_sizes_are_refused_with_both_names(tmp_path: Path) -> None:
    """The second one would fail in the middle of an epoch."""
    write_video(tmp_path / "a.avi", frames_of(2))
    write_video(tmp_path / "b.avi", frames_of(2, (20, 32)))
    with pytest.raises(DataError, match=r"b.avi: frames of 20 x 32 pixels.*a.avi has 24 x 32"):
        open_source(tmp_path, ReadOptions())


def test_a_video_that_ends_before_its_header_says_is_an_error(tmp_path: Path) -> None:
    """The missing frames would be left out silently."""
    whole = write_video(tmp_path / "whole.avi", frames_of(), "MJPG").read_bytes()
    path = tmp_path / "cut.avi"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    source = open_source(path, ReadOptions())
    with pytest.raises(DataError, match=r"cut.avi: ends after \d frames, its header states 12"):
        source.read(0, 0, 12)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"#EXTM3U\nhttp://127.0.0.1/a.ts\n", "is not a video in MP4, AVI or Matroska"),
        (b"", "is not a video"),
        (b"\x00\x00\x00\x1cftypisom" + bytes(200), "cut off or in a codec"),
    ],
)
def test_a_file_that_is_no_video_is_an_error(
    tmp_path: Path, content: bytes, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """FFmpeg would follow the addresses of a play list, or print lines of its own."""
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(DataError, match=expected):
        open_source(tmp_path / "a.mp4", ReadOptions())
    assert capfd.readouterr().err == ""


def test_names_of_channels_fit_a_video(tmp_path: Path) -> None:
    """One name for three channels would name only the first."""
    path = write_video(tmp_path / "a.avi", frames_of(2))
    with pytest.raises(DataError, match="red, green, blue, but --channels names 1: heat"):
        open_source(path, ReadOptions(channels=("heat",)))
    source = open_source(path, ReadOptions(channels=("heat",), grey=True, unit="K", nodata=0))
    assert str(source.channels[0]) == "heat (K)"
    assert np.isnan(source.read(0, 0, 1)[0, 0, 12, 20])  # red is 0 in the first frame
