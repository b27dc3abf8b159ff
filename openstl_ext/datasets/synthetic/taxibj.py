"""Synthetic flows in the format of TaxiBJ."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.synthetic.marker import mark
from openstl_ext.progress_line import tracked

FILE = "dataset.npz"
ROW = (4, 2, 32, 32)
DAY = 48
"""Half-hours of a day."""


def write(root: Path, *, num_train: int = 400, num_test: int = 60, seed: int = 0) -> None:
    """Write flows that rise and fall with the hour around a few busy places.

    Args:
        root: Folder to write to.
        num_train: Training windows; the real set has about 20,000.
        num_test: Test windows, later than those of training.
        seed: Seed of all draws.
    """
    root.mkdir(parents=True, exist_ok=True)
    mark(root, "TaxiBJ")
    series = city(num_train + num_test + 14, np.random.default_rng(seed))
    windows = np.lib.stride_tricks.sliding_window_view(series, 8, axis=0)
    windows = np.moveaxis(windows, -1, 1)  # (N, 8, C, H, W), one start per half-hour
    train, test = windows[:num_train], windows[num_train + 7 :]  # without common half-hours
    arrays = {
        "X_train": train[:, :4],
        "Y_train": train[:, 4:],
        "X_test": test[:, :4],
        "Y_test": test[:, 4:],
    }
    with atomic_file(root / FILE) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def city(num_steps: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """Simulate inflow and outflow of a city, (num_steps, 2, 32, 32) in [-1, 1].

    Each busy place oscillates with the hour at its own phase and moves on a ring; outflow follows
    inflow after an hour.
    """
    y, x = np.mgrid[:32, :32]
    time = np.arange(-2, num_steps)[:, None, None]
    flow = np.zeros((num_steps + 2, 32, 32))
    for _ in tracked(range(8), "drawing", "busy places"):
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
