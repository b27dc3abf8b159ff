"""How far intervals have to be widened to cover what they promise: split-conformal calibration.

The scores of pixels that no training saw are counted in bins, so that the counts of any number of
processes add up to the same numbers, and memory does not grow with the data.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import ConfigError, DataError

BITS = 20
"""Leading bits of a float32 that tell bins apart: its sign, its exponent and 11 of its mantissa."""

SHIFT, HALF = 32 - BITS, 1 << (BITS - 1)


class ScoreCounts:
    """How many scores fall into each bin; a bin is as wide as a 2048th of the scores in it.

    Args:
        num_columns: Horizons, each counted by itself.

    Attributes:
        counts: Scores in each bin, in ascending order of bins, int64.

    Shape:
        - counts: (num_columns, 2 ** BITS).
    """

    def __init__(self, num_columns: int) -> None:
        self.counts = np.zeros((num_columns, 1 << BITS), dtype=np.int64)

    def add(self, column: int, scores: np.ndarray) -> None:
        """Count scores of a column; a NaN counts as above all others, as it covers nothing."""
        values = np.where(np.isnan(scores), np.inf, scores).astype(np.float32).ravel()
        keys = values.view(np.int32)
        # negative numbers are stored by their size: turned around, integers sort like the numbers
        ordered = np.where(keys < 0, keys ^ np.int32(0x7FFFFFFF), keys)
        bins, numbers = np.unique(ordered >> SHIFT, return_counts=True)
        self.counts[column, bins + HALF] += numbers

    def margins(self, coverage: float) -> tuple[float | None, ...]:
        """What to widen the interval of each column by.

        The ceil((n + 1) * coverage)-th smallest of n scores, rounded up to the end of its bin: by
        a 2048th of itself at most, and never down. Where pixels of calibration and test are
        exchangeable, at least ``coverage`` of the latter then lie within, whatever the forecast
        is worth.

        Args:
            coverage: Share of the truth that should lie within, between 0 and 1.

        Returns:
            One a column; None where there are too few scores to promise so much.
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
    """Largest number of a bin."""
    key = np.int32(((index - HALF) << SHIFT) | ((1 << SHIFT) - 1))
    return float((key ^ np.int32(0x7FFFFFFF) if key < 0 else key).view(np.float32))


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What was learnt about the intervals of a trained method.

    Args:
        coverage: Share of the truth that should lie within.
        margin: By which both ends of each horizon move outwards, in data units; None where too few
            pixels were known.
        num_valid: Pixels that each margin is from.
        about: What it was learnt from, for whoever reads the file.
    """

    coverage: float
    margin: tuple[float | None, ...]
    num_valid: tuple[int, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def margins(self) -> list[float]:
        """The same as a method takes it: NaN where there is none."""
        return [math.nan if value is None else value for value in self.margin]

    def write(self, path: Path) -> None:
        """Replace a file by this, whole."""
        text = json.dumps(asdict(self), indent=1, allow_nan=False)
        atomic_write(Path(path), (text + "\n").encode())

    @classmethod
    def read(cls, path: str | Path) -> "Calibration":
        """The calibration of a file.

        Raises:
            DataError: If the file cannot be read or is none; it names the file and the remedy.
        """
        remedy = "test the run with a ConformalCalibrationHook, which writes one"
        try:
            content = json.loads(Path(path).read_bytes())
            return cls(
                coverage=float(content["coverage"]),
                margin=tuple(None if v is None else float(v) for v in content["margin"]),
                num_valid=tuple(int(v) for v in content["num_valid"]),
                about=content.get("about") or {},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path} is no calibration ({error!r}); {remedy}") from None


def check_coverage(coverage: float) -> float:
    """The share itself.

    Raises:
        ConfigError: If it is not between 0 and 1.
    """
    if not 0 < coverage < 1:
        raise ConfigError(f"coverage is a share between 0 and 1, as in 0.95; got {coverage}")
    return coverage
