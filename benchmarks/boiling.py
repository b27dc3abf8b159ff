"""Boiling data: generating and reading samples."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset, default_collate

from benchmarks.harness import Row, compare
from openstl_ext.datasets.boiling.prepare import BoilingSettings, generate
from openstl_ext.datasets.formats.folder_split import SplitSettings, create_loaders
from openstl_ext.datasets.frame_folders import FrameFolders
from openstl_ext.datasets.synthetic.boiling_simulation import (
    BOILING_POINT,
    initial_states,
    simulate,
)

NUM_SAMPLES, NUM_FRAMES, SIDE = 1000, 20, 64
NUM_WRITTEN, NUM_READ, BATCH = 200, 200, 8
SIZE = f"{NUM_FRAMES} x {SIDE} x {SIDE}"


def grow_histories(num_samples: int) -> Iterator[np.ndarray]:
    """The reference: sample by sample, two rolls per neighbour, frames appended to an array."""
    for _ in range(num_samples):
        cells = np.random.uniform(0, 212, (1, SIDE, SIDE)).astype(np.float32).squeeze()
        history = cells.copy()
        for _ in range(NUM_FRAMES - 1):
            eighths = cells * (1 / 8)
            cells = np.zeros_like(cells)
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    if dx or dy:
                        cells += np.roll(np.roll(eighths, dx, axis=0), dy, axis=1)
            cells = (cells + 10) % 212.0
            history = np.append(history, cells)
        yield np.stack([frame / 212.0 for frame in history.reshape(-1, 1, SIDE, SIDE)])


def simulate_packed(num_samples: int) -> np.ndarray:
    """Ours: initial maps and their simulation in one array."""
    initial = np.concatenate(list(initial_states(num_samples, SIDE, seed=0)))
    return simulate(initial, NUM_FRAMES, scale=BOILING_POINT)


def write_files(num_samples: int) -> None:
    """Write as the reference does: one file per frame."""
    with tempfile.TemporaryDirectory() as root:
        for i, frames in enumerate(grow_histories(num_samples)):
            folder = Path(root) / str(i)
            folder.mkdir()
            for t, frame in enumerate(frames):
                np.save(folder / f"{t}.npy", frame)


def write_packed(num_samples: int) -> None:
    """Write as we do: one array, with checksum and index."""
    settings = BoilingSettings(num_samples=num_samples, num_frames=NUM_FRAMES, image_size=SIDE)
    with tempfile.TemporaryDirectory() as root:
        generate(Path(root), settings, files=False)


class ManyFiles(Dataset):
    """Reader of the reference: frames are loaded one by one, then stacked and copied."""

    def __init__(self, samples: list[list[Path]]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        frames = [np.load(path) for path in self.samples[index]]
        half = len(frames) // 2
        past, future = np.stack(frames[:half]), np.stack(frames[half:])
        return torch.tensor(past).float(), torch.tensor(future).float()


def reading(dataset: Dataset) -> Callable[[], None]:
    """Return the call that reads a dataset once, in shuffled batches stacked by torch."""
    order = np.random.RandomState(0).permutation(len(dataset)).tolist()  # type: ignore[arg-type]

    def read() -> None:
        for start in range(0, len(order), BATCH):
            default_collate([dataset[i] for i in order[start : start + BATCH]])

    return read


def making() -> Iterator[Row]:
    slow, fast = compare(
        lambda: sum(1 for _ in grow_histories(NUM_SAMPLES)),
        lambda: simulate_packed(NUM_SAMPLES),
        rounds=3,
    )
    name = f"simulate {NUM_SAMPLES} samples of {SIZE} into one array"
    yield Row(name, "a sample at a time, np.append", slow, fast, 5)
    slow, fast = compare(
        lambda: write_files(NUM_WRITTEN), lambda: write_packed(NUM_WRITTEN), rounds=3
    )
    name = f"generate {NUM_WRITTEN} samples of {SIZE} on disk, packed"
    yield Row(name, "one sample at a time, one file per frame", slow, fast, 5)


def rows() -> Iterator[Row]:
    yield from making()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(
            root, BoilingSettings(num_samples=NUM_READ, num_frames=NUM_FRAMES, image_size=SIDE)
        )
        create_loaders(root, SplitSettings(train_ratio=1, val_ratio=0))
        samples = [
            [p / f"{t}.npy" for t in range(NUM_FRAMES)] for p in root.iterdir() if p.is_dir()
        ]
        ours = FrameFolders(root=str(root), split="train", num_inputs=10, num_targets=10)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as in a worker of a DataLoader
        slow, fast = compare(reading(ManyFiles(samples)), reading(ours))
        torch.set_num_threads(threads)
    name = f"read {NUM_READ} samples of {SIZE} from the packed form, in batches of {BATCH}"
    yield Row(name, "one file per frame", slow, fast, 30)
