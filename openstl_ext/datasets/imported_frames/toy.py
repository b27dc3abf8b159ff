"""A small import for tests."""

from pathlib import Path

import numpy as np

from openstl_ext.atomic_io import save_array
from openstl_ext.datasets.imported_frames.importing import ImportSettings, import_frames
from openstl_ext.datasets.imported_frames.windows import SplitRule
from openstl_ext.frame_sources import ReadOptions


def write_toy(root: Path) -> None:
    """Write an array of drifting waves with gaps, 6 sequences of 20 frames, and import it."""
    t, y, x = np.meshgrid(np.arange(20), np.arange(16), np.arange(16), indexing="ij")
    phases = np.arange(6)[:, None, None, None]
    waves = 280 + 5 * np.sin((x + 2 * t) / 3 + phases) * np.cos(y / 4)
    frames = waves[:, :, None].astype(np.float32)
    frames[:, 3::7, :, :2, :3] = np.nan
    save_array(root / "waves.npy", frames)
    settings = ImportSettings(
        options=ReadOptions(axes="NTCHW", channels=("temperature",), unit="K"),
        rule=SplitRule(shares=(0.5, 0.25, 0.25), length=20),
        window=(10, 10),
    )
    import_frames(root / "waves.npy", root, settings, name="waves")
