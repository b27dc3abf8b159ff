"""Long series of satellite images: reading patches."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from benchmarks.boiling import reading
from benchmarks.harness import Row, compare
from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.datasets.lts.split import CutSettings, cut

YEARS, BANDS, SIDE, PATCH = 34, ("blue", "green", "red", "nir"), 1024, 128
GOALS = {7: 2.0, YEARS: 0.75}
"""By the number of newest years that are read; reading all years saves nothing."""


class WholePatches(Dataset):
    """Reader of the reference: load a patch with all years, cast it, keep the newest years."""

    def __init__(self, root: Path, num_years: int) -> None:
        self.num_years = num_years
        names = (root / "splits/train.txt").read_text().split()
        self.paths = [(root / "images" / f"{n}.npy", root / "labels" / f"{n}.npy") for n in names]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        images, labels = (np.load(path) for path in self.paths[index])
        frames = torch.tensor(images.astype(np.float32))[-self.num_years :]
        known = torch.tensor(labels).long()
        return frames, ~frames.isnan(), known, known != 255


def write_series(root: Path) -> None:
    """Write an area of noise as a stack and as patches."""
    chance = np.random.default_rng(0)
    shape = (YEARS, len(BANDS), SIDE, SIDE)
    stack = chance.integers(1, 4000, shape, dtype=np.int16)
    np.save(root / "landsat_stack.npy", stack)
    np.save(root / "label.npy", (chance.random((SIDE, SIDE)) < 0.01).astype(np.uint8))
    years = tuple(y for y in range(1990, 2025) if y != 2012)
    SeriesFacts(years=years, bands=BANDS, nodata=-9999, scale=1e-4).write(root / "stack.json")
    settings = CutSettings(patch_size=PATCH, block_size=PATCH, buffer=0)
    cut(root, root, settings)
    cut(root, root / "patches", settings, form="patches")


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_series(root)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as in a worker of a DataLoader
        for num_years, goal in GOALS.items():
            ours = LTSSegmentation(
                root=folder, split="train", num_years=num_years, patch_size=PATCH
            )
            whole = WholePatches(root / "patches", num_years)
            assert torch.equal(whole[3][0], ours[3]["inputs"]["frames"])
            slow, fast = compare(reading(whole), reading(ours))
            size = f"{num_years} of {YEARS} years, {len(BANDS)} bands, {PATCH} x {PATCH}"
            name = f"read {len(ours)} patches ({size}) from the mapped stack, in batches of 8"
            yield Row(name, "np.load of whole patch files", slow, fast, goal)
        torch.set_num_threads(threads)
