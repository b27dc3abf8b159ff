"""Split-conformal calibration: margins that widen prediction intervals to a wanted coverage.

Scores of pixels outside the training set are counted in bins, so that the counts of any number of
processes add up to the same numbers, and memory does not grow with the data.
"""

import json
import math
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.json_file import read_json

BITS = 20
"""Leading bits of a float32 that select a bin: its sign, its exponent and 11 of its mantissa."""

SHIFT, HALF = 32 - BITS, 1 << (BITS - 1)


class ScoreCounts:
    """Histogram of scores; the width of a bin is a 2048th of the scores in it.

    Args:
        num_columns: Number of horizons, each with counts of its own.

    Attributes:
        counts: Scores in each bin, in ascending order of bins, int64.

    Shape:
        - counts: (num_columns, 2 ** BITS).
    """

    def __init__(self, num_columns: int) -> None:
        self.counts = np.zeros((num_columns, 1 << BITS), dtype=np.int64)

    def add(self, column: int, scores: np.ndarray) -> None:
        """Count scores of a column; NaN counts as the largest score, because it covers nothing."""
        values = np.where(np.isnan(scores), np.inf, scores).astype(np.float32).ravel()
        keys = values.view(np.int32)
        # negative floats are stored by magnitude: with flipped bits, integers sort like the numbers
        ordered = np.where(keys < 0, keys ^ np.int32(0x7FFFFFFF), keys)
        bins, numbers = np.unique(ordered >> SHIFT, return_counts=True)
        self.counts[column, bins + HALF] += numbers

    def margins(self, coverage: float) -> tuple[float | None, ...]:
        """Compute the margin of each column.

        The ceil((n + 1) * coverage)-th smallest of n scores, rounded up to the end of its bin, by
        a 2048th of itself at most. If pixels of calibration and test are exchangeable, at least
        ``coverage`` of the latter lie inside the widened interval, for any forecast.

        Args:
            coverage: Share of the targets that should lie inside, between 0 and 1.

        Returns:
            One margin per column; None where there are too few scores for this coverage.
        """
        found: list[float | None] = []
        for counts in self.counts:
            total = int(counts.sum())
            rank = math.ceil((total + 1) * Fraction(str(coverage)))
            if rank > total:
                found.append(None)
                continue
            end = _upper_end(int(np.searchsorted(np.cumsum(counts), rank)))
            found.append(end if math.isfinite(end) else None)
        return tuple(found)


def _upper_end(index: int) -> float:
    """Return the largest number of a bin."""
    key = np.int32(((index - HALF) << SHIFT) | ((1 << SHIFT) - 1))
    return float((key ^ np.int32(0x7FFFFFFF) if key < 0 else key).view(np.float32))


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Margins of the intervals of a trained method, as a file.

    Args:
        coverage: Share of the targets that should lie inside the widened interval.
        levels: Lower and upper quantile level of the interval.
        margin: Distance by which both ends of each horizon move outwards, in data units; None
            where there were too few valid pixels.
        num_valid: Number of pixels behind each margin.
        about: Samples and checkpoint of the calibration.
        sha256: Checksum of the checkpoint; None if the weights were not of a file.
        quantile_levels: All levels that the method predicts.
    """

    coverage: float
    levels: tuple[float, float]
    margin: tuple[float | None, ...]
    num_valid: tuple[int, ...]
    about: dict[str, Any] = field(default_factory=dict)
    sha256: str | None = None
    quantile_levels: tuple[float, ...] = ()

    @property
    def margins(self) -> list[float]:
        """Margin of each horizon; NaN where there is none."""
        return [math.nan if value is None else value for value in self.margin]

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        text = json.dumps(asdict(self), indent=1, allow_nan=False)
        atomic_write(Path(path), (text + "\n").encode())

    @classmethod
    def read(cls, path: str | Path) -> "Calibration":
        """Read a file.

        Raises:
            DataError: If the file cannot be read or is not a calibration of this version, or if
                its coverage is not that of its interval.
        """
        advice = "test the run with a ConformalCalibrationHook, which writes one"
        found = read_json(path, cls, advice=advice)
        try:
            check_coverage(found.coverage, found.levels)
        except ConfigError as error:
            raise DataError(f"{path}: {error}; {advice}") from None
        return found

    def place(self, path: Path) -> Path:
        """Return a file beside calibrations of other weights, which are kept."""
        try:
            same = not path.exists() or self.read(path).sha256 == self.sha256
        except DataError:
            same = True
        return path if same else beside(path, self.sha256)


def beside(path: Path, sha256: str | None) -> Path:
    """Return the name of the calibration of weights whose work directory has several."""
    return path.with_name(f"{path.stem}_{(sha256 or 'unknown')[:8]}{path.suffix}")


def check_coverage(coverage: float, levels: tuple[float, float]) -> float:
    """Return the coverage.

    Raises:
        ConfigError: If it is not between 0 and 1, or not that of the interval: the ends would be
            used as quantiles that they are not.
    """
    if not 0 < coverage < 1:
        raise ConfigError(f"coverage must be between 0 and 1, as in 0.95; got {coverage}")
    if not math.isclose(levels[1] - levels[0], coverage, abs_tol=1e-6):
        raise ConfigError(
            f"coverage is {coverage:g}, but the interval from quantile {levels[0]:g} to "
            f"{levels[1]:g} covers {levels[1] - levels[0]:g}; give both the same coverage"
        )
    return coverage
