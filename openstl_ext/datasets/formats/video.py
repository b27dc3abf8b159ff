"""Decode the frames of a video, one channel of bytes."""

import io
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from openstl_ext.errors import DataError

RED = 2
"""OpenCV's order is blue, green, red; the published channel is the first of RGB."""

HEIGHT = cv2.CAP_PROP_FRAME_HEIGHT
MAX_PIXELS = 1 << 22
"""Largest frame that is decoded; those of KTH have 160 x 120 pixels."""
MAX_JPEG = 1 << 24
"""Largest JPEG file in bytes."""
MAX_BYTES = 1 << 29
"""Largest decoded video; those of KTH have up to 20 MB."""
UNKNOWN_LENGTHS = (0, 0xFFFFFFFF)
"""Lengths in the header of a file that was written to a pipe."""

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
    length = struct.unpack("<I", head[4:8])[0]
    size = path.stat().st_size
    if not damaged and length not in UNKNOWN_LENGTHS and size < 8 + length:
        raise DataError(f"{path}: truncated, {size:,} of {8 + length:,} bytes; {advice}")
    video = cv2.VideoCapture(str(path))
    try:
        expected = int(video.get(cv2.CAP_PROP_FRAME_COUNT)) if video.isOpened() else 0
        width, height = (int(video.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, HEIGHT))
        _check_size(path, width, height)
        frames: list[NDArray[Any]] = []
        while (read := video.read())[0]:
            frames.append(read[1][:, :, RED].copy())  # not a view, which would keep three channels
            if len(frames) * frames[0].size > MAX_BYTES:
                raise DataError(f"{path}: decodes to more than {MAX_BYTES:,} bytes; {advice}")
    finally:
        video.release()
    if not frames or (not damaged and len(frames) < (1 - LOST_SHARE) * expected):
        raise DataError(f"{path}: {len(frames)} of {expected} frames can be decoded; {advice}")
    return np.stack(frames)


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise DataError(
            f"{path}: frames of {width} x {height}, at most {MAX_PIXELS:,} pixels are decoded"
        )


def read_jpegs(paths: Sequence[Path]) -> NDArray[np.uint8]:
    """Read frames that are JPEG files, (N, H, W).

    Raises:
        DataError: If a file is truncated or damaged, or of another size than the first.
    """
    frames: list[NDArray[Any]] = []
    for path in paths:
        data = path.read_bytes() if path.stat().st_size <= MAX_JPEG else b""
        # OpenCV fills missing parts with grey; a complete file ends with a marker
        complete = data[:2] == b"\xff\xd8" and data.rstrip(b"\0")[-2:] == b"\xff\xd9"
        size = _jpeg_size(data) if complete else None
        if size is None:
            raise DataError(f"{path}: truncated or not a JPEG; unpack its archive again")
        _check_size(path, *size)
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if frame is None:
            raise DataError(f"{path}: damaged; unpack its archive again")
        if frames and frame.shape[:2] != frames[0].shape:
            raise DataError(
                f"{path}: {frame.shape[:2]} pixels, the first frame has {frames[0].shape}"
            )
        frames.append(frame[:, :, RED].copy())
    return np.stack(frames)


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG from its header, without decoding it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the caller refuses it
            with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
                return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
