"""Decode the frames of a video, one channel of bytes."""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError

RED = 2
"""OpenCV's order is blue, green, red; the published channel is the first of RGB."""

LOST_SHARE = 0.05
"""Share of the frames of an AVI header that a decoder may leave out: DivX packs two frames in one,
and headers count frames that the encoder dropped."""


def read_avi(path: Path, *, damaged: bool = False) -> NDArray[np.uint8]:
    """Read all frames of an AVI file, (N, H, W).

    Args:
        path: The file.
        damaged: Accept the frames that can be decoded, for a file that is known to be damaged.

    Raises:
        DataError: If the file is truncated, or OpenCV cannot decode it.
    """
    advice = "unpack it again from its zip, or remove it"
    with path.open("rb") as file:
        head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"AVI ":
        raise DataError(f"{path}: not an AVI file; {advice}")
    expected_bytes = 8 + struct.unpack("<I", head[4:8])[0]
    if not damaged and (size := path.stat().st_size) < expected_bytes:
        raise DataError(f"{path}: truncated, {size:,} of {expected_bytes:,} bytes; {advice}")
    video = cv2.VideoCapture(str(path))
    try:
        expected = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
        frames: list[NDArray[Any]] = []
        while (read := video.read())[0]:
            frames.append(read[1][:, :, RED].copy())  # not a view, which would keep three channels
    finally:
        video.release()
    if not frames or (not damaged and len(frames) < (1 - LOST_SHARE) * expected):
        raise DataError(f"{path}: {len(frames)} of {expected} frames can be decoded; {advice}")
    return np.stack(frames)


def read_jpegs(paths: Sequence[Path]) -> NDArray[np.uint8]:
    """Read frames that are JPEG files, (N, H, W).

    Raises:
        DataError: If a file is truncated or damaged, or of another size than the first.
    """
    frames: list[NDArray[Any]] = []
    for path in paths:
        data = path.read_bytes()
        # OpenCV fills missing parts with grey; a complete file ends with a marker
        complete = data[:2] == b"\xff\xd8" and data.rstrip(b"\0")[-2:] == b"\xff\xd9"
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if complete else None
        if frame is None:
            raise DataError(f"{path}: truncated or not a JPEG; unpack its archive again")
        if frames and frame.shape[:2] != frames[0].shape:
            raise DataError(
                f"{path}: {frame.shape[:2]} pixels, the first frame has {frames[0].shape}"
            )
        frames.append(frame[:, :, RED].copy())
    return np.stack(frames)
