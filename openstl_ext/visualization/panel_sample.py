"""What a panel shows of one sample: some maps a horizon, without what cannot be judged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class PanelSample:
    """One forecast beside its truth; NaN, in both, where nothing is known.

    Args:
        name: Of the sample.
        horizons: What each is called, as in ``2005`` or ``+10 yr``.
        num_valid: Pixels of each whose truth is known.
        target: What came true.
        forecast: What was said.
        interval: Upper less lower end of the interval; None where none was said.

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
        """The sample without whatever cannot be judged, be it said or not.

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
        """Mean absolute error of each horizon; NaN where nothing is known."""
        known = (row[np.isfinite(row)].astype(np.float64) for row in self.difference)
        return [float(np.abs(row).mean()) if row.size else np.nan for row in known]
