"""Rule for the baselines of a test: which ones, by the data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from openstl_ext.structures import Metainfo

VIDEO = ("frame", "ms", "s")
"""Units of the time step of a video; data with longer steps have seasons instead of motion."""
SMALLEST = 8
"""Smallest side of a frame in which a shift is sought, in pixels."""
DAY, YEAR = 86_400, 360 * 86_400
"""Seconds; a year of data may lack some days."""


@dataclass
class BaselineChoice:
    """Baselines of a test.

    Attributes:
        nets: Configs of the nets.
        left_out: Reason for each baseline that the data do not allow, by type.
    """

    nets: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def default_baselines(
    metainfo: Metainfo, frames: Sequence[int], times: Callable[[], NDArray[np.int64] | None]
) -> BaselineChoice:
    """Return the baselines for data of a kind.

    Persistence, the training mean and a line for all; for a video the motion of the past, and
    otherwise the mean of the season.

    Args:
        metainfo: Of the test dataset.
        frames: Shape of the input frames of a sample (T, C, H, W).
        times: Reads the times of the training frames, seconds since 1970; None if they are not
            known.
    """
    choice = BaselineChoice([{"type": "Persistence"}, {"type": "TrainingMean"}])
    is_video = metainfo.lead[1] in VIDEO
    if frames[0] < 2:
        reason = "it needs two input frames"
        moving = ["LinearExtrapolation", *["Translation"] * is_video]
        choice.left_out |= dict.fromkeys(moving, reason)
    else:
        units = {channel.unit for channel in metainfo.channels}
        bounds = {"data_range": (0.0, 1.0)} if units == {"0-1"} else {}
        choice.nets.append({"type": "LinearExtrapolation", **bounds})
        if is_video and min(frames[-2:]) < SMALLEST:
            choice.left_out["Translation"] = f"frames are smaller than {SMALLEST} pixels"
        elif is_video:
            choice.nets.append({"type": "Translation"})
    if not is_video:
        cycles = seasons(times())
        if isinstance(cycles, str):
            choice.left_out["SeasonalMean"] = cycles
        else:
            choice.nets.append({"type": "SeasonalMean", "cycles": cycles})
    return choice


def seasons(times: NDArray[np.int64] | None) -> list[str] | str:
    """Return the cycles that the training data cover twice at least, or the reason for none.

    From two years on they are month and time of the day, from two weeks on day of the week and
    time of the day, from two days on time of the day; time of the day only if it varies.

    Args:
        times: Times of the training frames, seconds since 1970; None if they are not known.
    """
    if times is None:
        return NO_TIMES
    span = int(times.max() - times.min())
    cycles = ["year"] if span >= 2 * YEAR else ["week"] if span >= 14 * DAY else []
    if span >= 2 * DAY and len(np.unique(times % DAY)) > 1:
        cycles.append("day")
    if "week" in cycles and len(np.unique(times // DAY % 7)) < 2:
        cycles.remove("week")
    if "year" in cycles and len(np.unique(_months(times))) < 2:
        cycles.remove("year")
    return cycles or f"the training frames span {span / DAY:.3g} days without a season seen twice"


NO_TIMES = "the dataset states no times of its target frames"


def times_of(dataset: Any, indices: Sequence[int]) -> torch.Tensor | None:
    """Return the times of the target frames of samples; None if the dataset states none.

    Args:
        dataset: Has ``target_names(index)``: a time in ISO 8601 for each frame.
        indices: The samples.

    Shape:
        - returns: (samples, T'), seconds since 1970, int64.
    """
    named = getattr(dataset, "target_names", None)
    names = [named(index) for index in indices] if named else []
    if not names or not all(names):
        return None
    try:
        return torch.from_numpy(np.array(names, "datetime64[s]").astype(np.int64))
    except ValueError:  # names of another kind
        return None


def _months(times: NDArray[np.int64]) -> NDArray[np.int64]:
    return times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12
