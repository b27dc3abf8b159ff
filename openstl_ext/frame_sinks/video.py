"""Videos in MP4."""

from pathlib import Path

import cv2
import numpy as np

from openstl_ext.atomic_io import atomic_path
from openstl_ext.errors import DataError, UserError
from openstl_ext.frame_sinks.output import Output

SUFFIX = ".mp4"
CODEC = "mp4v"
"""MPEG-4, which every build of OpenCV encodes; it loses details, as all usual codecs do."""


def write(path: Path, output: Output) -> None:
    """Write the frames of a sequence as a video; one channel is grey, three are red, green, blue.

    Raises:
        ConfigError: If the range of the values is unknown.
        DataError: If values are missing, a side is odd, or there are not one or three channels.
        UserError: If OpenCV cannot encode videos.
    """
    pixels, known = output.pixels(path)
    height, width = pixels.shape[1:3]
    if not known.all():
        raise DataError(
            f"{path}: {int((~known).sum())} pixels have no value, which a video cannot store; "
            "choose a folder of pictures, .npy or .nc"
        )
    if height % 2 or width % 2:  # OpenCV would cut the last row or column off
        raise DataError(
            f"{path}: frames of {height} x {width} pixels, the sides of a video are even; choose a "
            "folder of pictures, .npy or .nc"
        )
    if output.dtype != np.uint8:
        pixels = (pixels >> 8).astype(np.uint8)
    with atomic_path(path, suffix=SUFFIX) as part:
        code = cv2.VideoWriter.fourcc(*CODEC)
        video = cv2.VideoWriter(str(part), cv2.CAP_FFMPEG, code, output.rate, (width, height))
        if not video.isOpened():
            raise UserError(
                f"{path}: this OpenCV does not encode MP4; choose a folder of pictures or .npy"
            )
        for frame in pixels:
            shown = np.broadcast_to(frame, (height, width, 3))[:, :, ::-1]
            video.write(np.ascontiguousarray(shown))
        video.release()
        written = cv2.VideoCapture(str(part), cv2.CAP_FFMPEG)
        count = int(written.get(cv2.CAP_PROP_FRAME_COUNT))
        written.release()
        if count != len(pixels):  # OpenCV reports no error of a full disk
            raise UserError(
                f"{path}: {count} of {len(pixels)} frames were written; free disk space"
            )
