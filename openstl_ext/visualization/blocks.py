"""What a grid shows: for each channel, or for three as colours, its four rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import UserError, nearest
from openstl_ext.visualization.saved import SavedSample

Array = NDArray[np.float32]
MOST_BLOCKS = 12  # a PNG of more is no picture any more


@dataclass(frozen=True)
class Block:
    """The rows of one channel; what is missing is NaN.

    Shape:
        - inputs: (T, H, W); truth, forecast: (T', H, W); each (..., 3) where the block is RGB.
        - difference: (T', H, W), forecast minus truth, for RGB its mean over the colours.
        - mse: (T',), NaN where nothing is known; known: (T',), the share of pixels that is.
    """

    name: str
    inputs: Array
    truth: Array
    forecast: Array
    difference: Array
    mse: Array
    known: Array

    @property
    def is_rgb(self) -> bool:
        """Whether the last axis holds colours."""
        return self.inputs.ndim == 4

    @property
    def has_gaps(self) -> bool:
        """Whether anything is missing."""
        rows = (self.inputs, self.truth, self.forecast)
        return not all(np.isfinite(row).all() for row in rows)


def blocks_of(
    sample: SavedSample, names: Sequence[str], *, picked: Sequence[str] = (), rgb: bool = False
) -> list[Block]:
    """Split a sample by channel.

    Args:
        sample: The frames.
        names: Name of each channel.
        picked: Names or numbers of the channels to show; by default all, up to a dozen.
        rgb: Show three channels as one colour picture.

    Raises:
        UserError: If a channel does not exist, or colours are asked of other than three channels.
    """
    num_channels = sample.forecast.shape[1]
    if sample.inputs.shape[1] != num_channels:
        # a net may forecast fewer channels than it sees: the first ones, as the readout has them
        num_channels = min(num_channels, sample.inputs.shape[1])
    indices = [channel_index(word, names, num_channels) for word in picked]
    if rgb:
        indices = indices or list(range(num_channels))
        if len(indices) != 3:
            raise UserError(f"--rgb needs 3 channels, but there are {len(indices)}; pick three")
        return [_block("RGB", sample, indices)]
    indices = indices or list(range(min(num_channels, MOST_BLOCKS)))
    return [_block(names[i], sample, [i]) for i in indices]


def channel_index(word: str, names: Sequence[str], num_channels: int) -> int:
    """Number of a channel, given by name or number.

    Raises:
        UserError: If there is none; it proposes the nearest.
    """
    if word in names[:num_channels]:
        return list(names).index(word)
    if word.isdigit() and int(word) < num_channels:
        return int(word)
    known = f"there are {num_channels}, numbered from 0"
    raise UserError(f"there is no channel {word!r}; {known}; {nearest(word, names[:num_channels])}")


def channel_names(about: Mapping[str, Any], num_channels: int) -> list[str]:
    """What the data call their channels, or their numbers."""
    names = [str(name) for name in about.get("channels") or ()]
    fits = len(names) == num_channels
    return names if fits else [f"channel {i}" for i in range(num_channels)]


def _block(name: str, sample: SavedSample, indices: Sequence[int]) -> Block:
    rows = (sample.inputs, sample.truth, sample.forecast)
    inputs, truth, forecast = (np.moveaxis(row[:, list(indices)], 1, -1) for row in rows)
    error = forecast - truth  # NaN where either is missing
    error = np.where(np.isfinite(error), error, np.nan)
    known = np.isfinite(error)
    count = known.sum(axis=(1, 2, 3))
    total = np.where(known, error, 0).astype(np.float64) ** 2
    with np.errstate(invalid="ignore"):
        mse = total.sum(axis=(1, 2, 3)) / count
    if len(indices) == 1:
        inputs, truth, forecast = inputs[..., 0], truth[..., 0], forecast[..., 0]
    return Block(
        name=name,
        inputs=inputs,
        truth=truth,
        forecast=forecast,
        difference=error.mean(axis=-1),
        mse=mse.astype(np.float32),
        known=(count / error[0].size).astype(np.float32),
    )
