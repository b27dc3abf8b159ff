"""Filling of missing years, and rotation of patches."""

import numpy as np
import pytest
import torch

from openstl_ext.datasets.lts.dataset import fill_from_years
from openstl_ext.datasets.sensors.augmentation import draw_turns, rotated

GAP = np.nan


@pytest.mark.parametrize(
    ("years", "filled"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, GAP, 3], [1, 1, 3]),
        ([GAP, GAP, 3], [3, 3, 3]),
        ([GAP, 2, GAP, GAP, 5], [2, 2, 2, 2, 5]),
        ([GAP, GAP], [GAP, GAP]),
    ],
)
def test_earlier_years_are_preferred(years: list[float], filled: list[float]) -> None:
    """A later value would be used where an earlier one exists."""
    frames = np.array(years, np.float32).reshape(-1, 1, 1, 1)
    np.testing.assert_array_equal(fill_from_years(frames).ravel(), np.array(filled, np.float32))
    np.testing.assert_array_equal(frames.ravel(), np.array(years, np.float32))


def test_every_pixel_and_band_is_filled_from_itself() -> None:
    """A missing pixel would get the value of another pixel or band."""
    rng = np.random.default_rng(0)
    frames = rng.random((6, 3, 5, 4)).astype(np.float32)
    frames[rng.random(frames.shape) < 0.5] = np.nan
    filled = fill_from_years(frames)
    for place in np.ndindex(frames.shape[1:]):
        alone = frames[(slice(None), *place)].reshape(-1, 1, 1, 1)
        expected = fill_from_years(alone).ravel()
        np.testing.assert_array_equal(filled[(slice(None), *place)], expected)


def test_all_eight_rotations_are_equally_likely() -> None:
    """Augmentation would prefer some orientations."""
    torch.manual_seed(0)
    counts: dict[tuple[bool, int], int] = {}
    for _ in range(4000):
        turn = draw_turns()
        counts[turn] = counts.get(turn, 0) + 1
    assert len(counts) == 8
    assert all(abs(count - 500) < 100 for count in counts.values())
    square = torch.arange(6).view(1, 2, 3)
    assert len({tuple(rotated(square, *turn).flatten().tolist()) for turn in counts}) == 8
