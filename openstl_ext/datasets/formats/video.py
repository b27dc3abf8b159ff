"""Frames of a recording, as they were filmed: one channel of bytes."""

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
"""Share of the frames promised by an AVI header that a decoder may leave out: DivX streams hide a
frame behind another, and headers count what an encoder dropped."""


def read_avi(path: Path, *, damaged: bool = False) -> NDArray[np.uint8]:
    """All frames of an AVI file, (N, H, W).

    Args:
        path: The file.
        damaged: Take what can be decoded of a file that is known to be damaged.

    Raises:
        DataError: If the file is cut off, or not a video that OpenCV decodes.
    """
    advice = "unpack it again from its zip, or remove it"
    with path.open("rb") as file:
        head = file.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"AVI ":
        raise DataError(f"{path}: not an AVI file; {advice}")
    promised_bytes = 8 + struct.unpack("<I", head[4:8])[0]
    if not damaged and (size := path.stat().st_size) < promised_bytes:
        raise DataError(f"{path}: cut off, {size:,} of {promised_bytes:,} bytes; {advice}")
    video = cv2.VideoCapture(str(path))
    try:
        promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
        frames: list[NDArray[Any]] = []
        while (read := video.read())[0]:
            frames.append(read[1][:, :, RED].copy())  # not a view, which would keep three channels
    finally:
        video.release()
    if not frames or (not damaged and len(frames) < (1 - LOST_SHARE) * promised):
        raise DataError(f"{path}: {len(frames)} of {promised} frames can be decoded; {advice}")
    return np.stack(frames)


def read_jpegs(paths: Sequence[Path]) -> NDArray[np.uint8]:
    """Frames that lie as JPEG files, (N, H, W).

    Raises:
        DataError: If a file is cut off or damaged, or of another size than the first.
    """
    frames: list[NDArray[Any]] = []
    for path in paths:
        data = path.read_bytes()
        # OpenCV fills what is missing with grey; a whole file ends with a marker
        whole = data[:2] == b"\xff\xd8" and data.rstrip(b"\0")[-2:] == b"\xff\xd9"
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if whole else None
        if frame is None:
            raise DataError(f"{path}: cut off or no JPEG; unpack its archive again")
        if frames and frame.shape[:2] != frames[0].shape:
            raise DataError(f"{path}: {frame.shape[:2]} pixels in a video of {frames[0].shape}")
        frames.append(frame[:, :, RED].copy())
    return np.stack(frames)
