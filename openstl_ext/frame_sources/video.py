"""Videos: a file is one sequence, a folder of them many."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.frame_sources.source import FrameSequence, FrameSource, ReadOptions
from openstl_ext.leftovers import entries
from openstl_ext.structures import Channel

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
COUNTED = (".mkv", ".webm")
"""Containers without a count of frames, which OpenCV estimates from the duration."""
REPAIR = "copy it again, or write it anew with `ffmpeg -i {0} -c:v ffv1 new.avi`"

# FFmpeg prints lines of its own about a damaged file; OpenCV reads this when it opens its first one
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


def opens(path: Path) -> bool:
    """Return whether a path is a video, or a folder of videos."""
    return bool(_videos(path)) if path.is_dir() else path.suffix.lower() in SUFFIXES


def open(path: Path, options: ReadOptions) -> FrameSource:
    """Open a video, or the videos of a folder.

    Channels:
        red, green, blue, or grey with ``options.grey``; 0 to 255.

    Raises:
        DataError: If a file is no video that OpenCV decodes, or two differ in size.
    """
    return VideoFiles(path, options)


class VideoFiles:
    """Videos of one size, decoded frame by frame.

    A frame depends on those before it, so reading in order is fast, and going back decodes from
    the start. Instances can be pickled; each process opens its own files.

    Attributes:
        rates: Frames per second of each sequence; 0 where the file does not state it.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._files = _videos(path) if path.is_dir() else [path]
        self._every, self._grey, self._nodata = options.every, options.grey, options.nodata
        self.channels = _channels(path, options)
        self.dtype: np.dtype[Any] = np.dtype(np.uint8)
        self._decoder: Decoder | None = None
        self._owner = -1
        stems = [file.stem for file in self._files]
        names = stems if len(set(stems)) == len(stems) else [file.name for file in self._files]
        sequences, sizes, rates = [], [], []
        for name, file in zip(names, self._files, strict=True):
            decoder = Decoder(file)
            sizes.append(decoder.size)
            rates.append(decoder.rate / self._every)
            count = -(-decoder.num_frames // self._every)
            sequences.append(FrameSequence(name=name, num_frames=count))
            decoder.close()
            if sizes[-1] != sizes[0]:
                raise DataError(
                    f"{file}: frames of {_shown(sizes[-1])} pixels, but {self._files[0]} has "
                    f"{_shown(sizes[0])}; bring all videos to one size, for example with "
                    f"`ffmpeg -i {file.name} -vf scale={sizes[0][1]}:{sizes[0][0]} new.mp4`"
                )
        self.size = sizes[0]
        self.rates = tuple(rates)
        self.sequences = tuple(sequences)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_decoder": None, "_owner": -1}

    def read(self, sequence: int, start: int, stop: int) -> NDArray[Any]:
        """Decode consecutive frames of a video, (T, C, H, W), bytes.

        Raises:
            DataError: If the video ends before its header says.
        """
        decoder = self._decoder_of(self._files[sequence])
        stop = min(stop, self.sequences[sequence].num_frames)
        frames = [self._planes(decoder.frame(k * self._every)) for k in range(start, stop)]
        found = np.stack(frames) if frames else np.empty((0, len(self.channels), *self.size), "u1")
        if self._nodata is None:
            return found
        return np.where(found == self._nodata, np.float32("nan"), found.astype(np.float32))

    def frame_files(self, sequence: int) -> list[Path]:
        """Return the file of a video."""
        return [self._files[sequence]]

    def _planes(self, frame: NDArray[Any]) -> NDArray[Any]:
        """Return a frame of OpenCV, (H, W, 3) in the order blue, green, red, as (C, H, W)."""
        if self._grey:
            return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)[None]
        return np.ascontiguousarray(frame[:, :, ::-1].transpose(2, 0, 1))

    def _decoder_of(self, file: Path) -> "Decoder":
        if self._decoder is None or self._owner != os.getpid() or self._decoder.path != file:
            if self._decoder is not None and self._owner == os.getpid():
                self._decoder.close()
            self._decoder, self._owner = Decoder(file), os.getpid()
        return self._decoder


class Decoder:
    """One open video.

    Attributes:
        size: Height and width of the first frame, in pixels, as a player shows it.
        num_frames: Number of frames that the header states, or that were counted.
        rate: Frames per second.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start()
        self.rate = float(self._video.get(cv2.CAP_PROP_FPS))
        self.num_frames = int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
        decoded, first = self._video.read()
        if not decoded:
            raise DataError(
                f"{path}: no frame of this video can be decoded; {REPAIR.format(path.name)}"
            )
        self._next = 1
        self.size: tuple[int, int] = first.shape[:2]
        self._first = first
        if self.num_frames < 1 or path.suffix.lower() in COUNTED:
            self.num_frames = 1
            while self._video.grab():
                self.num_frames += 1
            self._next = self.num_frames

    def frame(self, index: int) -> NDArray[Any]:
        """Decode a frame (H, W, 3); those between it and the one before are decoded, too."""
        if index == 0:
            return self._first
        if index < self._next:
            self.close()
            self._start()
        while self._next < index and self._video.grab():
            self._next += 1
        decoded, frame = self._video.read()
        if not decoded:
            raise DataError(
                f"{self.path}: ends after {self._next} frames, its header states "
                f"{self.num_frames}; {REPAIR.format(self.path.name)}"
            )
        self._next += 1
        if frame.shape[:2] != self.size:
            raise DataError(
                f"{self.path}: frame {index} has {_shown(frame.shape[:2])} pixels, the first has "
                f"{_shown(self.size)}; divide the video there"
            )
        return frame

    def close(self) -> None:
        """Close the file."""
        self._video.release()

    def _start(self) -> None:
        check_container(self.path)
        before = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            self._video = cv2.VideoCapture(str(self.path.absolute()), cv2.CAP_FFMPEG)
        finally:
            cv2.utils.logging.setLogLevel(before)
        if not self._video.isOpened():
            raise DataError(
                f"{self.path}: this video is cut off or in a codec that OpenCV does not decode; "
                f"{REPAIR.format(self.path.name)}"
            )
        self._next = 0


def check_container(path: Path) -> None:
    """Refuse a file that is no video, whose content FFmpeg would take for a list of addresses.

    Raises:
        DataError: If it does not begin as MP4, AVI or Matroska.
    """
    with path.open("rb") as file:
        head = file.read(12)
    is_avi = head[:4] == b"RIFF" and head[8:] == b"AVI "
    is_mp4 = head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
    if not (is_avi or is_mp4 or head[:4] == b"\x1a\x45\xdf\xa3"):
        raise DataError(
            f"{path}: is not a video in MP4, AVI or Matroska (WebM); convert it, for example with "
            f"`ffmpeg -i {path.name} new.mp4`"
        )


def _channels(path: Path, options: ReadOptions) -> tuple[Channel, ...]:
    """Return the channels of a video, under the names that the user gives."""
    colours = ("grey",) if options.grey else ("red", "green", "blue")
    names = options.channels or colours
    if len(names) != len(colours):
        raise DataError(
            f"{path}: a video has the channels {', '.join(colours)}, but --channels names "
            f"{len(names)}: {', '.join(names)}; name all, or take one channel with --grey"
        )
    return tuple(Channel(name, options.unit or "1") for name in names)


def _videos(folder: Path) -> list[Path]:
    return [p for p in entries(folder) if p.suffix.lower() in SUFFIXES and p.is_file()]


def _shown(size: tuple[int, ...]) -> str:
    return f"{size[0]} x {size[1]}"
