"""Split sequences into windows for training, validation and test, which share no frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from openstl_ext.errors import DataError
from openstl_ext.frame_record import SPLITS

Window = tuple[int, int]
"""Index of a sequence and its first frame."""


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """How sequences are split.

    Args:
        shares: Share of train, val and test; they are divided by their sum.
        by: ``sequence`` assigns whole sequences; ``time`` cuts each sequence into three spans,
            the earliest one for training. By default sequences, if there are at least three.
        length: Frames of a window.
        stride: Distance of two windows, in frames; by default their length, so that windows of a
            split share no frame either.
        gap: Frames between two spans that are in no split.
        seed: Seed of the assignment of sequences.
    """

    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)
    by: Literal["sequence", "time"] | None = None
    length: int = 20
    stride: int | None = None
    gap: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.shares) <= 0 or not np.isfinite(sum(self.shares)):
            raise DataError(
                f"--split {'/'.join(f'{s:g}' for s in self.shares)}: train, val and test each need "
                "a share above 0, as in 0.7/0.15/0.15"
            )
        if (self.stride is not None and self.stride < 1) or self.gap < 0:
            raise DataError(f"--stride {self.stride} must be at least 1 and --gap {self.gap} 0")

    def chosen(self, lengths: Sequence[int]) -> Literal["sequence", "time"]:
        """Return what the splits consist of, for sequences of these lengths."""
        usable = sum(length >= self.length for length in lengths)
        return self.by or ("sequence" if usable >= len(SPLITS) else "time")

    def windows(self, lengths: Sequence[int], names: Sequence[str]) -> dict[str, list[Window]]:
        """Return the windows of each split.

        Args:
            lengths: Number of frames of each sequence.
            names: Name of each sequence, for messages.

        Raises:
            DataError: If a split would have no window; the message has the numbers.
        """
        usable = [index for index, length in enumerate(lengths) if length >= self.length]
        if not usable:
            longest = int(np.argmax(lengths))
            raise DataError(
                f"the longest sequence, {names[longest]}, has {lengths[longest]} frames, but a "
                f"window has {self.length}; choose a shorter one with --window INPUTS+TARGETS"
            )
        if self.chosen(lengths) == "sequence":
            return self._by_sequence(lengths, usable)
        return self._by_time(lengths)

    def _by_sequence(self, lengths: Sequence[int], usable: list[int]) -> dict[str, list[Window]]:
        counts = _apportioned(len(usable), self.shares)
        while 0 in counts and max(counts) > 1 and len(usable) >= len(SPLITS):
            counts[counts.index(max(counts))] -= 1  # few sequences: one in each split
            counts[counts.index(0)] += 1
        if 0 in counts:
            stated = ", ".join(f"{n} to {s}" for n, s in zip(counts, SPLITS, strict=True))
            raise DataError(
                f"{len(usable)} sequences of at least {self.length} frames give {stated}; choose "
                "other shares with --split, split within the sequences with --by time, or import "
                "at least three sequences"
            )
        order = np.random.default_rng(self.seed).permutation(usable).tolist()
        found: dict[str, list[Window]] = {}
        for split, count in zip(SPLITS, counts, strict=True):
            chosen, order = sorted(order[:count]), order[count:]
            found[split] = [w for i in chosen for w in self._within(i, 0, lengths[i])]
        return found

    def _by_time(self, lengths: Sequence[int]) -> dict[str, list[Window]]:
        found: dict[str, list[Window]] = {split: [] for split in SPLITS}
        spans = [_apportioned(max(0, length - 2 * self.gap), self.shares) for length in lengths]
        for index, counts in enumerate(spans):
            start = 0
            for split, count in zip(SPLITS, counts, strict=True):
                found[split] += self._within(index, start, start + count)
                start += count + self.gap
        for number, split in enumerate(SPLITS):
            if not found[split]:
                longest = max(counts[number] for counts in spans)
                raise DataError(
                    f"--by time leaves no window for {split}: its longest span has {longest} "
                    f"frames (of {max(lengths)}), but a window has {self.length}; choose a shorter "
                    "--window, other shares with --split"
                    + (", a smaller --gap" if self.gap else "")
                    + (", or --by sequence" if len(lengths) >= len(SPLITS) else "")
                )
        return found

    def _within(self, sequence: int, start: int, stop: int) -> list[Window]:
        step = self.stride or self.length
        return [(sequence, first) for first in range(start, stop - self.length + 1, step)]


def _apportioned(total: int, shares: Sequence[float]) -> list[int]:
    """Divide a number by shares, the remainder by the largest fractions."""
    exact = np.array(shares) / sum(shares) * total
    counts = np.floor(exact + 1e-9).astype(int)
    for index in np.argsort(-(exact - counts), kind="stable")[: total - counts.sum()]:
        counts[index] += 1
    return [int(count) for count in counts]
