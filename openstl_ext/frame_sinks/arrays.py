"""Arrays of NumPy."""

from pathlib import Path

import numpy as np

from openstl_ext.atomic_io import atomic_file, atomic_path, save_array
from openstl_ext.frame_sinks.output import Output


def write_npy(path: Path, output: Output) -> None:
    """Write the frames (T, C, H, W), float32."""
    with atomic_path(path, suffix=".npy") as part:
        save_array(part, np.ascontiguousarray(output.frames, np.float32))


def write_npz(path: Path, output: Output) -> None:
    """Write ``frames`` (T, C, H, W), ``channels`` (C,) and, if known, ``times`` (T,)."""
    arrays = {
        "frames": np.asarray(output.frames, np.float32),
        "channels": np.array([channel.label for channel in output.channels]),
    }
    if output.times is not None:
        arrays["times"] = output.times
    with atomic_file(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
