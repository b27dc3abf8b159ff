"""Statistics of channels over blocks of frames, without reading all frames at once."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass
class Tally:
    """Mean, deviation, extremes and missing share of each channel, in float64.

    Blocks are combined by the rule of Chan, Golub and LeVeque (1979), because a sum of squares
    loses all digits where the mean is large, as of temperatures in kelvin.

    Args:
        channels: Number of channels.
    """

    channels: int
    count: NDArray[np.float64] = field(init=False)
    size: int = 0
    mean: NDArray[np.float64] = field(init=False)
    squares: NDArray[np.float64] = field(init=False)
    least: NDArray[np.float64] = field(init=False)
    most: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.count, self.mean, self.squares = (np.zeros(self.channels) for _ in range(3))
        self.least = np.full(self.channels, np.inf)
        self.most = np.full(self.channels, -np.inf)

    def add(self, frames: NDArray[np.float32]) -> None:
        """Add frames (T, C, H, W); NaN is missing."""
        values = frames.astype(np.float64)
        known = np.isfinite(values)
        axes = (0, 2, 3)
        count = known.sum(axis=axes)
        filled = np.where(known, values, 0.0)
        mean = filled.sum(axis=axes) / np.maximum(count, 1)
        spread = np.where(known, values - mean[:, None, None], 0.0)
        total = self.count + count
        delta, share = mean - self.mean, count / np.maximum(total, 1)
        self.squares += (spread**2).sum(axis=axes) + delta**2 * self.count * share
        self.mean += delta * share
        self.count = total
        self.size += values[:, 0].size
        self.least = np.minimum(self.least, np.where(known, values, np.inf).min(axis=axes))
        self.most = np.maximum(self.most, np.where(known, values, -np.inf).max(axis=axes))

    @property
    def std(self) -> NDArray[np.float64]:
        """Standard deviation of each channel, of the population."""
        return np.sqrt(self.squares / np.maximum(self.count, 1))

    @property
    def missing(self) -> NDArray[np.float64]:
        """Share of missing values of each channel."""
        return 1 - self.count / max(self.size, 1)
