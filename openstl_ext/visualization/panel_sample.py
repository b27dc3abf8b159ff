"""Maps of one sample per horizon, NaN where the target is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class PanelSample:
    """Forecast and target of one sample; both are NaN where the target is unknown.

    Args:
        name: Name of the sample.
        horizons: Name of each horizon, such as ``2005`` or ``+10 yr``.
        num_valid: Number of valid pixels of each horizon.
        target: Observed frames.
        forecast: Predicted frames.
        interval: Upper minus lower end of the interval; None without an interval.

    Shape:
        - target, forecast, interval: (K, H, W).
    """

    name: str
    horizons: tuple[str, ...]
    num_valid: tuple[int, ...]
    target: Array
    forecast: Array
    interval: Array | None = None

    @classmethod
    def masked(
        cls,
        name: str,
        horizons: Sequence[str],
        valid: NDArray[np.bool_],
        *,
        target: Array,
        forecast: Array,
        lower: Array | None = None,
        upper: Array | None = None,
    ) -> "PanelSample":
        """Return the sample with NaN at all invalid pixels.

        Shape:
            - all arrays: (K, H, W).

        Raises:
            ValueError: If names or arrays differ in number or shape.
        """
        arrays = [target, forecast, *(a for a in (lower, upper) if a is not None)]
        if any(a.shape != valid.shape for a in arrays) or len(horizons) != len(valid):
            shapes = [a.shape for a in arrays]
            raise ValueError(f"{len(horizons)} horizons, valid {valid.shape}, but {shapes}")
        interval = None if lower is None or upper is None else upper - lower
        return cls(
            name=name,
            horizons=tuple(horizons),
            num_valid=tuple(int(number) for number in valid.sum(axis=(1, 2))),
            target=np.where(valid, target, np.nan),
            forecast=np.where(valid, forecast, np.nan),
            interval=None if interval is None else np.where(valid, interval, np.nan),
        )

    @property
    def difference(self) -> Array:
        """Forecast minus target."""
        return self.forecast - self.target

    @property
    def errors(self) -> list[float]:
        """Mean absolute error of each horizon; NaN without a valid pixel."""
        known = (row[np.isfinite(row)].astype(np.float64) for row in self.difference)
        return [float(np.abs(row).mean()) if row.size else np.nan for row in known]
