"""Synthetic flows in the format of TaxiBJ."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.synthetic.marker import mark

FILE = "dataset.npz"
ROW = (4, 2, 32, 32)
DAY = 48
"""Half-hours."""


def write(root: Path, *, num_train: int = 400, num_test: int = 60, seed: int = 0) -> None:
    """Write flows that swell and ebb with the hour around a few busy places.

    Args:
        root: Folder to write to.
        num_train: Training windows; the real set has some 20,000.
        num_test: Test windows, which come after those of training.
        seed: Decides all.
    """
    root.mkdir(parents=True, exist_ok=True)
    mark(root, "TaxiBJ")
    series = city(num_train + num_test + 14, np.random.default_rng(seed))
    windows = np.lib.stride_tricks.sliding_window_view(series, 8, axis=0)
    windows = np.moveaxis(windows, -1, 1)  # (N, 8, C, H, W), each a half-hour after the one before
    train, test = windows[:num_train], windows[num_train + 7 :]  # they share no half-hour
    arrays = {
        "X_train": train[:, :4],
        "Y_train": train[:, 4:],
        "X_test": test[:, :4],
        "Y_test": test[:, 4:],
    }
    with atomic_file(root / FILE) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def city(num_steps: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """Inflow and outflow of a made-up city, (num_steps, 2, 32, 32) in [-1, 1].

    Places breathe with the hour, each at a phase of its own, and their load moves round a ring;
    outflow follows inflow by an hour.
    """
    y, x = np.mgrid[:32, :32]
    time = np.arange(-2, num_steps)[:, None, None]
    flow = np.zeros((num_steps + 2, 32, 32))
    for _ in range(8):
        phase, radius, width = chance.uniform((0, 2, 2), (2 * np.pi, 9, 4))
        turn = 2 * np.pi * time / DAY + phase
        row, column = chance.uniform(10, 22, 2)
        away = (y - row - radius * np.sin(2 * turn)) ** 2 + (
            x - column - radius * np.cos(turn)
        ) ** 2
        flow += (1 + 0.8 * np.sin(turn)) * np.exp(-away / (2 * width**2))
    flow += chance.normal(0, 0.01, flow.shape)
    both = np.stack([flow[2:], flow[:-2]], axis=1)
    low, high = both.min(), both.max()
    return (2 * (both - low) / (high - low) - 1).astype(np.float32)
