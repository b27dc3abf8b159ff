"""The four rows of a grid for each channel, or for three channels as RGB."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import UserError, nearest
from openstl_ext.visualization.saved import SavedSample

Array = NDArray[np.float32]
MOST_CHANNELS = 12  # a page of more channels is too long to read


@dataclass(frozen=True)
class ChannelRows:
    """The rows of one channel, NaN where data are missing.

    Shape:
        - inputs: (T, H, W); target, forecast: (T', H, W); each (..., 3) for RGB.
        - difference: (T', H, W), forecast minus target; the mean over the colours for RGB.
        - mse: (T',), NaN without a known pixel; known: (T',), share of known pixels.
    """

    name: str
    inputs: Array
    target: Array
    forecast: Array
    difference: Array
    mse: Array
    known: Array

    @property
    def is_rgb(self) -> bool:
        """Whether the last axis is RGB."""
        return self.inputs.ndim == 4

    @property
    def has_gaps(self) -> bool:
        """Whether a pixel is missing."""
        rows = (self.inputs, self.target, self.forecast)
        return not all(np.isfinite(row).all() for row in rows)


def channel_rows(
    sample: SavedSample, names: Sequence[str], *, picked: Sequence[str] = (), rgb: bool = False
) -> list[ChannelRows]:
    """Split a sample by channel.

    Args:
        sample: The frames.
        names: Name of each channel.
        picked: Names or numbers of the channels; by default the first twelve.
        rgb: Combine three channels to one RGB image.

    Raises:
        UserError: If a channel does not exist, or RGB is requested of other than three channels.
    """
    num_channels = sample.forecast.shape[1]
    if sample.inputs.shape[1] != num_channels:
        # a net may forecast only the first of its input channels
        num_channels = min(num_channels, sample.inputs.shape[1])
    indices = [channel_index(word, names, num_channels) for word in picked]
    if rgb:
        indices = indices or list(range(num_channels))
        if len(indices) != 3:
            raise UserError(f"--rgb needs 3 channels, got {len(indices)}; name three")
        return [_rows("RGB", sample, indices)]
    indices = indices or list(range(min(num_channels, MOST_CHANNELS)))
    return [_rows(names[i], sample, [i]) for i in indices]


def channel_index(word: str, names: Sequence[str], num_channels: int) -> int:
    """Return the index of a channel that is given by name or number.

    Raises:
        UserError: If it does not exist; the message proposes the nearest name.
    """
    if word in names[:num_channels]:
        return list(names).index(word)
    if word.isdigit() and int(word) < num_channels:
        return int(word)
    known = f"there are {num_channels}, numbered from 0"
    raise UserError(f"there is no channel {word!r}; {known}; {nearest(word, names[:num_channels])}")


def channel_names(about: Mapping[str, Any], num_channels: int) -> list[str]:
    """Return the channel names of a dataset, or numbers where they are unknown."""
    names = [str(name) for name in about.get("channels") or ()]
    fits = len(names) == num_channels
    return names if fits else [f"channel {i}" for i in range(num_channels)]


def _rows(name: str, sample: SavedSample, indices: Sequence[int]) -> ChannelRows:
    rows = (sample.inputs, sample.target, sample.forecast)
    inputs, target, forecast = (np.moveaxis(row[:, list(indices)], 1, -1) for row in rows)
    error = forecast - target  # NaN where one of them is missing
    error = np.where(np.isfinite(error), error, np.nan)
    known = np.isfinite(error)
    count = known.sum(axis=(1, 2, 3))
    total = np.where(known, error, 0).astype(np.float64) ** 2
    with np.errstate(invalid="ignore"):
        mse = total.sum(axis=(1, 2, 3)) / count
    if len(indices) == 1:
        inputs, target, forecast = inputs[..., 0], target[..., 0], forecast[..., 0]
    return ChannelRows(
        name=name,
        inputs=inputs,
        target=target,
        forecast=forecast,
        difference=error.mean(axis=-1),
        mse=mse.astype(np.float32),
        known=(count / error[0].size).astype(np.float32),
    )
