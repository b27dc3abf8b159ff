"""Climatology: the mean of the training targets at the same time of the day, week or year."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import TimedFrameModel
from openstl_ext.registry import MODELS
from openstl_ext.structures import Targets

DAY = 86_400
"""Seconds of a day."""


@MODELS.register_module()
class SeasonalMean(nn.Module):
    """Forecast the mean of the training targets of the same season, independent of the input.

    A season is a time of the day, on a day of the week or in a month of the year, or a
    combination of them. A pixel without a training value in the season is missing (NaN).

    Args:
        cycles: What a season is made of: ``day`` the time of the day, ``week`` the day of the
            week, ``year`` the month.

    Shape:
        - frames: (B, T, C, H, W); times: (B, T'), seconds since 1970; returns: (B, T', C, H, W).

    Raises:
        ConfigError: If there are no cycles.
        ShapeError: If it is called without times.
        RuntimeError: If it is called before ``fit``.
    """

    interface = TimedFrameModel

    def __init__(self, *, cycles: Sequence[Literal["day", "week", "year"]]) -> None:
        super().__init__()
        if not cycles:
            raise ConfigError("SeasonalMean has no cycles; name day, week or year, or several")
        self.cycles = tuple(cycles)
        self.seasons: Tensor | None
        self.means: Tensor | None
        self.register_buffer("seasons", None)
        self.register_buffer("means", None)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance for frames of ``TOY_SHAPE``."""
        return {"cycles": ["day"]}

    def fit(self, samples: Iterable[Targets]) -> None:
        """Compute the mean of each pixel in each season, ignoring invalid values.

        Args:
            samples: Targets of one sample each: ``frames`` (T', C, H, W), ``times`` (T',), and
                optionally ``valid``.
        """
        totals: dict[int, Tensor] = {}
        counts: dict[int, Tensor] = {}
        for sample in samples:
            frames, seasons = sample["frames"], season_of(sample["times"], self.cycles)
            valid = sample.get("valid", torch.ones_like(frames, dtype=torch.bool))
            known = torch.where(valid, frames, 0.0).double()
            for season, values, count in zip(seasons.tolist(), known, valid, strict=True):
                totals[season] = totals.get(season, 0.0) + values
                counts[season] = counts.get(season, 0) + count.double()
        found = sorted(totals)
        total = torch.stack([totals[season] for season in found])
        count = torch.stack([counts[season] for season in found])
        means = (total / count).float()  # 0 / 0 is NaN
        self.seasons = torch.tensor(found)
        # the last one is that of unknown seasons
        self.means = torch.cat([means, torch.full_like(means[:1], torch.nan)])

    def known(self, times: Tensor) -> Tensor:
        """Return whether each time is of a season with a training frame, in the same shape."""
        return self._index(times) < len(self._fitted()[0])

    def forward(self, frames: Tensor, times: Tensor | None = None) -> Tensor:
        if times is None:
            raise ShapeError("SeasonalMean needs the times of the target frames")
        return self._fitted()[1].to(frames)[self._index(times).to(frames.device)]

    def _index(self, times: Tensor) -> Tensor:
        """Return the position of the mean of each time."""
        seasons = self._fitted()[0].cpu()
        wanted = torch.from_numpy(season_of(times, self.cycles))
        index = torch.searchsorted(seasons, wanted).clamp(max=len(seasons) - 1)
        return torch.where(seasons[index] == wanted, index, len(seasons))

    def _fitted(self) -> tuple[Tensor, Tensor]:
        if self.seasons is None or self.means is None:
            raise RuntimeError("SeasonalMean has no means; call fit(samples) first")
        return self.seasons, self.means


def season_of(times: Tensor, cycles: Sequence[str]) -> NDArray[np.int64]:
    """Return the number of the season of each time, in the same shape.

    Args:
        times: Seconds since 1970.
        cycles: See ``SeasonalMean``.
    """
    seconds = times.cpu().numpy().astype(np.int64)
    days = seconds // DAY
    season = np.zeros_like(seconds)
    if "year" in cycles:
        season = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    if "week" in cycles:
        season = season * 7 + days % 7
    if "day" in cycles:
        season = season * DAY + seconds % DAY
    return season
