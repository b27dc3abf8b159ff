"""Area weights of regular grids of latitudes."""

import math

import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.structures import Sample


class AreaMetric(SampleMetric):
    """Base class of scores whose pixels count by their area.

    The area weights of a dataset, ``sample["weight"]``, always apply. For a regular grid without
    them, ``latitudes`` gives each row the cosine of its latitude.

    Args:
        latitudes: Latitude of the centre of the first and of the last row, in degrees; None for
            the weights of the dataset alone.

    Raises:
        ConfigError: If a latitude is not between -90 and 90 degrees, or both are equal.
    """

    def __init__(self, *, latitudes: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.latitudes = latitudes
        if latitudes is None:
            return
        if len(latitudes) != 2 or not all(abs(end) <= 90 for end in latitudes):
            raise ConfigError(
                f"{type(self).__name__}: latitudes={latitudes!r} must be those of the first and of "
                "the last row in degrees, as in (87.1875, -87.1875)"
            )
        if latitudes[0] == latitudes[1]:
            raise ConfigError(
                f"{type(self).__name__}: the first and the last row have the same latitude "
                f"{latitudes[0]:g}; set two, or leave latitudes out"
            )

    def _row(self, sample: Sample) -> Tensor:
        if self.latitudes is not None and sample["target"].ndim == 4:
            rows = latitude_weights(sample["target"].shape[-2], *self.latitudes)
            weight = sample["weight"] * rows.to(sample["weight"])[:, None]
            sample = {**sample, "weight": weight}
        return super()._row(sample)

    def convention(self) -> str:
        text = super().convention()
        if self.latitudes is None:
            return text
        first, last = self.latitudes
        return f"{text} Weighted by the cosine of the latitude, {first:g} to {last:g} degrees."


def latitude_weights(rows: int, first: float, last: float) -> Tensor:
    """Return the cosine of the latitude of each row, divided by its mean.

    Args:
        rows: Number of rows, whose latitudes are evenly spaced.
        first: Latitude of the first row, in degrees.
        last: Latitude of the last row.

    Shape:
        - returns: (rows,), float64.

    Source:
        Rasp et al., WeatherBench (arXiv:2002.00469).
    """
    degrees = torch.linspace(first, last, rows, dtype=torch.float64)
    cosine = torch.cos(degrees * (math.pi / 180)).clamp(min=0)
    return cosine / cosine.mean()
