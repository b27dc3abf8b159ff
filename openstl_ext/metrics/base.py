"""What every metric promises: one tally a sample, one score a test set."""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, final

import numpy as np
import torch
from mmengine.dist import all_gather_object
from mmengine.evaluator import BaseMetric

from openstl_ext.metrics.tallies import (
    TOTAL,
    WEIGHT,
    Tally,
    bootstrap_interval,
    exact_sum,
    exact_sums,
    merge_shards,
)
from openstl_ext.structures import Sample

__all__ = ["SampleMetric", "Tally"]


class SampleMetric(BaseMetric, ABC):
    """A mean over samples that no batch size, order or number of ranks can move.

    A subclass says how one sample is judged. Kept are a few floats a sample and column; they are
    gathered, refused unless there is one a sample, summed exactly and divided once, so the score
    is the same to the last bit however the test set was dealt out. A column is a lead, unless the
    subclass names its columns otherwise.

    Attributes:
        name: Key of the overall score; that of a column is ``<name>@<column>``, leads being
            counted from 1.
        unit: Unit of the score, for tables.
        higher_is_better: Which way the arrow points; None where more is neither better nor worse.
        judges: What a sample must hold to be judged: ``forecast``; ``interval`` for a forecast
            with ``lower`` and ``upper``; ``labels`` for classes; ``truth`` where the answer does
            not matter.
        counts_pixels: Whether a weight is a number of valid pixels, which then stands beside the
            score as ``num_valid``, one a column.
    """

    judges: Literal["forecast", "interval", "labels", "truth"] = "forecast"
    counts_pixels: bool = False
    name: str
    unit: str
    higher_is_better: bool | None

    def __init__(self) -> None:
        super().__init__(prefix=self.name)  # mmengine warns of a metric without one,
        self.prefix = None  # but the names are whole as they are
        self._tallies: np.ndarray | None = None

    @abstractmethod
    def measure(self, sample: Sample) -> Tally:
        """Judge one sample, on the device it lies on.

        Pixels that are not valid count nowhere, whatever they hold; NaN at a valid one must
        reach the tally.

        Shape:
            - sample["forecast"], sample["target"], sample["valid"]: (T, C, H, W); tally: (T,).
        """

    def finish(self, mean: float) -> float:
        """What becomes of a mean, of one lead or of all; the mean itself unless overridden."""
        return mean

    def combine(self, sums: np.ndarray) -> float:
        """Score of one column, or of all pooled; the finished mean unless overridden.

        Shape:
            - sums: (S,), in the order of a Tally: total, weight, more.
        """
        weight = float(sums[WEIGHT])
        return self.finish(float(sums[TOTAL]) / weight) if weight else math.nan

    def overall(self, sums: np.ndarray) -> float:
        """Score of all columns (S, T): of what they hold together, unless overridden."""
        return self.combine(np.array([exact_sum(row) for row in sums]))

    def columns(self, number: int) -> list[str]:
        """Name of each column: leads, counted from 1, unless overridden."""
        return [str(lead + 1) for lead in range(number)]

    def convention(self) -> str:
        """In one line, what is computed: two scores are comparable only where it is the same."""
        return inspect.cleandoc(type(self).__doc__ or "").partition("\n")[0]

    def count(self, tallies: np.ndarray) -> dict[str, int]:  # noqa: ARG002
        """Numbers of special cases among the tallies (N, S, T), to be told with the score."""
        return {}

    def span(self, tallies: np.ndarray) -> dict[str, Any]:
        """What columns there are, and in how many there was nothing to judge: leads, of frames."""
        weight = tallies[:, WEIGHT]
        told = {"leads": tallies.shape[2], "num_unscored_frames": int((weight == 0).sum())}
        if self.counts_pixels:
            return {**told, "num_valid": [int(number) for number in weight.sum(axis=0)]}
        return told

    @final
    @torch.inference_mode()
    def process(self, data_batch: Any, data_samples: Sequence[Sample]) -> None:  # noqa: ARG002
        """Judge a batch, for mmengine; one transfer from the device a batch."""
        if not data_samples:
            return
        judged = [self.measure(sample) for sample in data_samples]
        stacked = torch.stack([torch.stack((t.total, t.weight, *t.more)) for t in judged])
        self.results.append(stacked.cpu().double().numpy())

    @final
    def evaluate(self, size: int) -> dict[str, float]:
        """Scores over the whole dataset, the same on every rank; ready for the next round after.

        Args:
            size: Number of samples in the dataset.

        Returns:
            The overall score and one a column; NaN where nothing was valid.

        Raises:
            ConfigError: Unless each sample was judged exactly once.
        """
        mine = np.concatenate(self.results) if self.results else np.empty((0, 2, 0))
        self.results.clear()
        self._tallies = merge_shards(all_gather_object(mine), size)
        return self.compute_metrics(self._tallies)

    @final
    def compute_metrics(self, results: np.ndarray) -> dict[str, float]:
        """Scores of tallies (N, S, T)."""
        sums = exact_sums(results)
        names = self.columns(sums.shape[1])
        each = {f"{self.name}@{n}": self.combine(sums[:, k]) for k, n in enumerate(names)}
        scores = {self.name: self.overall(sums), **each}
        # a plateau keeps its best score in the checkpoint, where NumPy's numbers cannot be read
        return {name: float(value) for name, value in scores.items()}

    @final
    def describe(self) -> dict[str, dict[str, Any]]:
        """What a table must say beside the score; the numbers only once there are scores.

        Returns:
            ``{name: facts}``. ``interval`` is the 95 % interval by redrawing samples; ``leads``
            and ``num_unscored_frames`` say what columns there are, and in how many frames there
            was nothing to judge.
        """
        facts: dict[str, Any] = {
            "unit": self.unit,
            "higher_is_better": self.higher_is_better,
            "convention": self.convention(),
        }
        if self._tallies is not None:
            facts |= {
                "num_samples": len(self._tallies),
                **self.span(self._tallies),
                "interval": bootstrap_interval(self._tallies, self.overall),
                **self.count(self._tallies),
            }
        return {self.name: facts}
