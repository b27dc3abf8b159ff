"""Check frames against the channels, the units and the ranges that a dataset declares."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError
from openstl_ext.structures import Channel, Item, Metainfo

Range = tuple[float, float]

NUMBER = r"(-?\d+(?:\.\d+)?)"
RANGE = re.compile(rf"\s*{NUMBER}\s*(?:-|to|\.\.)\s*{NUMBER}\s*")
MARGIN = 0.25
"""Accepted excess beyond a declared range, as a share of it; a forecast may overshoot a little."""
LARGEST = 1e18
"""Largest magnitude in any unit: sums of squares of larger values overflow in float32, and fill
values such as -3.4e38 and 1e20 are larger."""
BYTE = 255.0
FEW_CHANNELS, LEAST_SIDE = 4, 8
"""Frames whose last axis is at most the first and whose others are at least the second are read
as (H, W, C)."""


@dataclass(frozen=True, kw_only=True)
class FrameRules:
    """What the frames of a dataset are like.

    Args:
        labels: Label of each channel; empty accepts any number of channels.
        ranges: Declared range of each channel, or one for all; None where the unit states none.
    """

    labels: tuple[str, ...] = ()
    ranges: tuple[Range | None, ...] = (None,)

    @classmethod
    def of(cls, channels: Sequence[Channel]) -> "FrameRules":
        """Return the rules of channels; without any, only what holds for all frames."""
        ranges = tuple(declared_range(channel.unit) for channel in channels)
        same = ranges[:1] if len(set(ranges)) == 1 else ranges
        return cls(labels=tuple(c.label for c in channels), ranges=same or (None,))

    def check(
        self,
        frames: Any,
        *,
        place: str,
        valid: Any = None,
        may_be_missing: bool = False,
        may_be_empty: bool = False,
    ) -> None:
        """Raise an error for frames that cannot be right.

        Args:
            frames: Tensor on the CPU, or array, of real numbers.
            place: File or sample, for the message.
            valid: True where there are data, same shape; other values are ignored.
            may_be_missing: Whether NaN means missing, as in prediction.
            may_be_empty: Whether all values may be masked, as in a chip of a map.

        Shape:
            - frames: (..., C, H, W).

        Raises:
            DataError: If the channels are not the declared ones, a value is not finite, nothing
                is valid, or a value is far outside of the range.
        """
        values: NDArray[Any] = np.asarray(frames)
        check_axes(values.shape, self.labels, place=place)
        mask = None if valid is None else np.asarray(valid)
        # without the mask first: it costs ten times as much, and is rarely needed
        is_inside = all(self._misfit(n, part) is None for n, part in self._parts(values))
        if is_inside and (mask is None or may_be_empty or mask.any()):
            return
        seen = np.ones(values.shape, bool) if mask is None else mask
        known = seen & np.isfinite(values)
        if not known.any() and not (may_be_empty and not seen.any()):
            raise DataError(f"{place}: no usable value, all are NaN, infinite or masked")
        bad = seen & ~known & (np.isinf(values) if may_be_missing else True)
        if count := int(bad.sum()):
            kind = "infinite" if may_be_missing else "NaN or infinite"
            raise DataError(
                f"{place}: {count:,} of {values.size:,} values are {kind}; {MISSING_ADVICE}"
            )
        for (n, part), (_, chosen) in zip(self._parts(values), self._parts(known), strict=True):
            if misfit := self._misfit(n, part[chosen]):
                raise DataError(f"{place}: {misfit}")

    def _parts(self, values: NDArray[Any]) -> list[tuple[int, NDArray[Any]]]:
        """Return the values that share a range: of each channel, or all together."""
        if len(self.ranges) == 1:
            return [(0, values)]
        return [(n, values[..., n, :, :]) for n in range(len(self.ranges))]

    def _misfit(self, index: int, values: NDArray[Any]) -> str | None:
        """Return why values do not fit their range; None if they fit."""
        if not values.size:
            return None
        low, high = values.min(), values.max()
        declared = self.ranges[index]
        if declared is None:
            if low >= -LARGEST and high <= LARGEST:
                return None
            advice = FILL_ADVICE
        else:
            start, end = declared
            slack = MARGIN * (end - start)
            if start - slack <= low and high <= end + slack:
                return None
            advice = _range_advice(start, end, low, high)
        label = f" of {self.labels[index]}" if len(self.ranges) > 1 else ""
        return f"values{label} reach from {low:g} to {high:g}, {advice}"

    def warn_if_tiny(self, frames: Any, *, place: str) -> None:
        """Warn of values that fill less than 1/255 of the declared range: scaled twice."""
        declared = self.ranges[0]
        if declared is None or len(self.ranges) > 1 or declared[0] != 0:
            return
        values = np.asarray(frames)
        known = values[np.isfinite(values)]
        low, high = known.min(), known.max()
        if 0 <= low < high <= declared[1] / BYTE:
            warnings.warn(
                f"{place}: values reach from {low:g} to {high:g} where the unit is "
                f"{declared[0]:g}-{declared[1]:g}; if they were divided by 255 twice, multiply "
                "them by 255",
                stacklevel=3,
            )


MISSING_ADVICE = "replace them, or mark them as missing: NaN in prediction, valid in the Python API"
FILL_ADVICE = (
    f"beyond {LARGEST:g}, as fill values and damaged files do; write NaN where there is no data, "
    "or rescale the values"
)


def declared_range(unit: str) -> Range | None:
    """Return the range that a unit such as ``0-1`` or ``share of 212 F`` states."""
    if match := RANGE.fullmatch(unit):
        start, end = float(match[1]), float(match[2])
        return (start, end) if start < end else None
    return (0.0, 1.0) if re.match(r"(share|fraction)\b", unit) else None


def check_axes(shape: Sequence[int], labels: Sequence[str] = (), *, place: str) -> None:
    """Compare the shape (..., C, H, W) of frames with the channels, and check its order.

    Raises:
        DataError: If the number of channels differs, or the axes look like (H, W, C).
    """
    channels, height, width = shape[-3:]
    listed = f" ({', '.join(labels)})" if labels else ""
    as_last = width <= FEW_CHANNELS and min(channels, height) >= LEAST_SIDE
    hint = (
        "the axes look like height x width x channel; use channel x height x width, as from "
        "np.moveaxis(frames, -1, -3)"
    )
    if labels and channels != len(labels):
        advice = hint if as_last else "select these channels, or change the dataset of the config"
        raise DataError(
            f"{place}: shape {tuple(shape)} has {channels} channels, expected "
            f"{len(labels)}{listed}; {advice}"
        )
    if as_last and not labels:
        raise DataError(
            f"{place}: shape {tuple(shape)} has {channels} channels of width {width}; {hint}"
        )


def check_item(item: Item, metainfo: Metainfo) -> None:
    """Check the frames of an item before they reach a net.

    The targets have the channels of the metainfo; inputs may have others.

    Raises:
        DataError: If they cannot be right.
    """
    rules = _rules_of(metainfo)
    for side, kind in (("inputs", "input"), ("data_samples", "target")):
        fields: Any = item.get(side) or {}
        if (frames := fields.get("frames")) is None or frames.ndim < 3 or not frames.numel():
            continue
        same = frames.shape[-3] == len(rules.labels)
        if not same and side == "inputs":
            continue
        valid = fields.get("valid")
        rules.check(frames, place=f"{kind} frames", valid=valid, may_be_empty=True)


@lru_cache(maxsize=8)
def _rules_of(metainfo: Metainfo) -> FrameRules:
    return FrameRules.of(metainfo.channels)


def _range_advice(start: float, end: float, low: float, high: float) -> str:
    unit = f"expected {start:g} to {end:g}"
    if start == 0 and end == 1 and low >= 0 and high <= BYTE:
        return f"{unit}; divide bytes by 255"
    return f"{unit}; rescale them to this range, or correct the unit of the dataset"
