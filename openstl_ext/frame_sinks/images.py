"""Folders of PNG, with the range of values that black and white are."""

import json
from pathlib import Path

import cv2
import numpy as np

from openstl_ext.atomic_io import atomic_folder
from openstl_ext.errors import DataError
from openstl_ext.frame_sinks.output import Output

ABOUT = "pictures.json"


def write(path: Path, output: Output) -> None:
    """Write a PNG for each frame, and ``pictures.json``: range, channels, names, times.

    Pixels without a value are transparent. Three channels are red, green and blue.

    Raises:
        ConfigError: If the range of the values is unknown.
        DataError: If there are not one or three channels.
    """
    pixels, known = output.pixels(path)
    low, high = output.value_range or (0.0, 1.0)
    is_outside = (output.frames < low) | (output.frames > high)
    about = {
        "range": [low, high],
        "bits": 8 * output.dtype.itemsize,
        "channels": [str(channel) for channel in output.channels],
        "files": [f"{name}.png" for name in output.names()],
        "times": None if output.times is None else output.times.astype(str).tolist(),
        "values_outside_range": int(is_outside.sum()),
        "pixels_without_value": int((~known).sum()),
    }
    with atomic_folder(path) as part:
        for name, picture, seen in zip(output.names(), pixels, known, strict=True):
            shown = picture[..., ::-1]  # OpenCV takes blue, green, red
            if not known.all():
                top = np.iinfo(output.dtype).max
                alpha = np.where(seen, top, 0).astype(output.dtype)
                shown = np.dstack([np.broadcast_to(shown, (*seen.shape, 3)), alpha])
            encoded, data = cv2.imencode(".png", np.ascontiguousarray(shown))
            if not encoded:
                raise DataError(f"{path}: frame {name} of {picture.shape} cannot be a PNG")
            (part / f"{name}.png").write_bytes(data.tobytes())
        (part / ABOUT).write_text(json.dumps(about, indent=1) + "\n")
