"""Base class of metrics: one tally per sample, one score per test set."""

import inspect
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, cast, final

import numpy as np
import torch
from mmengine.dist import all_gather_object
from mmengine.evaluator import BaseMetric
from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.metrics.frames import as_float, map_sum
from openstl_ext.metrics.tallies import (
    TOTAL,
    WEIGHT,
    Pooling,
    Tally,
    TallyBuffer,
    bootstrap_intervals,
    exact_sums,
    merge_shards,
    summing,
)
from openstl_ext.score_name import ScoreName
from openstl_ext.structures import Metainfo, Sample

__all__ = ["SampleMetric", "Tally"]

Score = Callable[[np.ndarray], float]
Axis = Literal["lead", "channel", "class", "rank", "level", "band"]
CHECKSUM = "sha256:"
"""Beginning of the checksum that takes the place of a file in a record."""
OPTIONAL = {"quantiles", "ensemble"}
"""Fields that only some forecasts have."""


class SampleMetric(BaseMetric, ABC):
    """Base class of scores that do not depend on batch size, order or number of processes.

    A subclass measures one sample. A few floats per sample are kept, gathered, rejected unless
    there is exactly one tally per sample, summed without rounding and divided once.

    Attributes:
        name: Name of the overall score. Other scores are ``<name>@<lead>``,
            ``<name>[<channel or class>]`` and ``<name>[<channel>]@<lead>``; leads count from 1.
            With one channel the bracket form is omitted.
        unit: Unit of the score; ``{unit}`` stands for the unit of the data, as in ``{unit}^2``.
        higher_is_better: Direction of the score; None where it has none.
        requires: Fields that a sample must have. Without ``quantiles`` or ``ensemble``, as for
            a baseline, the score is NaN.
        axes: Axes of a tally whose entries have scores of their own: ``("lead",)``,
            ``("lead", "channel")``, ``("class",)`` or none. In place of channels a metric may have
            parts of its own, such as ranks; it overrides ``_expected_shape``, and ``part`` where a
            part has another score than all of them.
        counts_pixels: Whether the number of valid pixels per lead, ``num_valid``, is stored
            beside the score.
        pools_units: Whether channels of different units may be pooled. If not, the pooled score
            of such channels is NaN.
        is_paired: Whether two models can be compared sample by sample. If not, tallies are not kept
            after the test.
        blocks: Block of each sample of the test set; samples of one block depend on each other, so
            that intervals draw whole blocks. None: each sample is a block.

    Raises:
        ConfigError: If a subclass does not define ``name``, ``unit`` or ``higher_is_better``.
    """

    requires: tuple[str, ...] = ("forecast",)
    axes: tuple[Axis, ...] = ("lead",)
    counts_pixels: bool = False
    pools_units: bool = False
    is_paired: bool = True
    name: str
    unit: str
    higher_is_better: bool | None

    def __init__(self) -> None:
        for attribute in ("name", "unit", "higher_is_better"):
            if not hasattr(self, attribute):
                raise ConfigError(
                    f"metric {type(self).__name__} has no {attribute}; set the class attributes "
                    "name, unit and higher_is_better (True, False or None)"
                )
        super().__init__(prefix=self.name)  # mmengine warns of a metric without a prefix,
        self.prefix = None  # but our names are complete
        self.kept = TallyBuffer()
        self.blocks: Sequence[str] | None = None
        self._measured: TallyBuffer | None = None

    def prepare(self) -> None:
        """Load what only measuring needs, before a training or test; nothing by default.

        Scores of kept tallies do without it, such as in a leaderboard.
        """

    @abstractmethod
    def measure(self, sample: Sample) -> Tally:
        """Compute the tally of one sample, on its device. Its frames are float32 or float64.

        Invalid pixels must not count, for any value. NaN at a valid pixel must reach the
        tally.

        Shape:
            - sample["forecast"], sample["target"], sample["valid"]: (T, C, H, W).
            - tally: (T,), (T, C), (T, K) or (K,), as ``axes`` declares.
        """

    def pooling(self, tallies: np.ndarray) -> Pooling:
        """Return how tallies (N, S, ...) become the sums of a score: they are added by default.

        A score that needs all samples at once, such as one of a ranking, keeps them as tallies and
        computes here what is divided at the end.
        """
        return summing(tallies)

    def finish(self, mean: float) -> float:
        """Convert a mean into the score; the mean itself unless overridden."""
        return mean

    def combine(self, sums: np.ndarray) -> float:
        """Compute a score from sums; the finished mean unless overridden.

        Shape:
            - sums: (S,), in the order of a Tally: total, weight, more.
        """
        weight = float(sums[WEIGHT])
        return self.finish(float(sums[TOTAL]) / weight) if weight else math.nan

    def overall(self, sums: np.ndarray) -> float:
        """Pool sums (S, ...) over all axes but the first into one score."""
        return self.combine(exact_sums(np.moveaxis(sums.reshape(len(sums), -1), 1, 0)))

    def part(self, sums: np.ndarray) -> float:
        """Score one channel or other part of all leads, of sums (S, T, 1)."""
        return self.overall(sums)

    def convention(self) -> str:
        """Describe in one line what is computed; scores are comparable only if it is equal."""
        return inspect.cleandoc(type(self).__doc__ or "").partition("\n")[0]

    def contents(self) -> dict[str, str]:
        """Return a checksum for each argument that names a file; it takes the place of the name.

        Two files of one name would otherwise be one protocol, and their scores in one table.
        """
        return {}

    def count(self, tallies: np.ndarray) -> dict[str, int]:  # noqa: ARG002
        """Count special cases among the tallies (N, S, ...), to be stored with the score."""
        return {}

    def labels(self) -> tuple[str, ...]:
        """Return the channels or classes that have scores of their own, as far as they are known.

        A single channel has none.
        """
        metainfo = self.dataset_meta
        if "channel" not in self.axes or not isinstance(metainfo, Metainfo):
            return ()
        return metainfo.labels if len(metainfo.labels) > 1 else ()

    def _parts(self, number: int) -> tuple[str, ...]:
        """Return the label of each channel or class; numbers where the dataset has no metainfo."""
        return self.labels() or tuple(map(str, range(number)))

    def _check_channels(self, sample: Sample) -> None:
        """Compare the channels of a sample with the metainfo of the dataset.

        Raises:
            ShapeError: If the metainfo lists another number of channels.
        """
        metainfo = self.dataset_meta
        if "channel" not in self.axes or not isinstance(metainfo, Metainfo):
            return
        number, listed = sample["target"].shape[1], metainfo.labels
        if listed and len(listed) != number:
            raise ShapeError(
                f"a target has {number} channels, but metainfo of the dataset lists "
                f"{len(listed)}: {', '.join(listed)}"
            )

    def span(self, tallies: np.ndarray) -> dict[str, Any]:
        """Describe the axes of frame tallies (N, S, T, ...), and how many frames do not count."""
        measured = tallies[:, : WEIGHT + 1].reshape(len(tallies), 2, tallies.shape[2], -1)
        counts_not = ~(measured != 0).any(axis=(1, 3))  # a divisor of 0 alone may be an error of 0
        facts: dict[str, Any] = {
            "leads": tallies.shape[2],
            "num_unscored_frames": int(counts_not.sum()),
        }
        if self.counts_pixels:
            counts = tallies[:, -1].reshape(*counts_not.shape, -1).sum(axis=(0, 2))
            facts["num_valid"] = [int(number) for number in counts]
        return facts

    @final
    @torch.inference_mode()
    def process(self, data_batch: Any, data_samples: Sequence[Sample]) -> None:  # noqa: ARG002
        """Measure a batch; mmengine calls this. One transfer from the device per batch."""
        if not data_samples:
            return
        rows = [self._row(sample) for sample in data_samples]
        self.kept.append(torch.stack(rows).cpu().double().numpy())

    def _row(self, sample: Sample) -> Tensor:
        """Measure a sample and check the shape of its tally, (S, ...)."""
        missing = [field for field in self.requires if field not in sample]
        expected = self._expected_shape(sample)
        if not missing:
            self._check_channels(sample)
            tally = self.measure(_widened(sample))
            if not isinstance(tally, Tally):
                raise ShapeError(
                    f"{type(self).__name__}.measure returns a {type(tally).__name__}; it needs a "
                    "Tally(total=..., weight=...)"
                )
        elif set(missing) <= OPTIONAL:
            nothing = torch.zeros(expected, dtype=torch.float64, device=sample["target"].device)
            tally = Tally(total=nothing, weight=nothing)
        else:
            raise ConfigError(
                f"{type(self).__name__} needs {' and '.join(missing)}, which the method does not "
                f"predict; its samples have {', '.join(sorted(sample))}"
            )
        fields = [tally.total, tally.weight, *tally.more]
        if any(expected and tuple(field.shape) != expected for field in fields):
            shapes = ", ".join(str(tuple(field.shape)) for field in fields)
            raise ShapeError(
                f"{type(self).__name__}.measure returns a tally of shape {shapes}, but its axes "
                f"{self.axes} have {expected} entries in this sample"
            )
        if self.counts_pixels:
            counts = map_sum(sample["valid"])
            fields.append(counts if tally.total.ndim == 2 else counts.sum(dim=-1))
        return torch.stack([field.double() for field in fields])

    def _expected_shape(self, sample: Sample) -> tuple[int, ...]:
        return tuple(sample["target"].shape[: len(self.axes)])

    @final
    def evaluate(self, size: int) -> dict[str, float]:
        """Compute the scores over the whole dataset, equal on every rank; then start afresh.

        Args:
            size: Number of samples in the dataset.

        Returns:
            The overall score and those of the axes; NaN where nothing was valid.

        Raises:
            ConfigError: Unless each sample was measured exactly once.
        """
        own, self.kept = self.kept.array(), TallyBuffer()
        tallies = merge_shards(all_gather_object(own), size)
        self._measured = TallyBuffer()
        self._measured.append(tallies)
        return self.compute_metrics(tallies)

    @property
    def tallies(self) -> np.ndarray:
        """Tallies (N, S, ...) of the last evaluation, in the order of the dataset."""
        if self._measured is None:
            raise RuntimeError(f"{type(self).__name__} has evaluated nothing")
        return self._measured.array()

    @final
    def compute_metrics(self, results: np.ndarray) -> dict[str, float]:
        """Compute the scores of tallies (N, S, ...)."""
        sums = self.pooling(results)(None)
        # a plateau keeps its best score in the checkpoint, where NumPy numbers cannot be read
        return {str(name): float(score(sums)) for name, score in self.scores_of(sums.shape).items()}

    def scores_of(self, shape: tuple[int, ...]) -> dict[ScoreName, Score]:
        """Return the function from sums (S, ...) to each score, by name."""
        pooled: Score = _nothing if self.is_undefined_for_all_channels else self.overall
        found: dict[ScoreName, Score] = {ScoreName(self.name): pooled}
        if self.axes == ("class",):
            for k, part in enumerate(self._parts(shape[1])):
                found[ScoreName(self.name, part)] = partial(_entry, self.combine, (k,))
        if "lead" in self.axes:
            for k in range(shape[1]):
                lead = (slice(k, k + 1),)
                found[ScoreName(self.name, lead=k + 1)] = partial(_entry, pooled, lead)
        if self.axes[:1] == ("lead",) and len(shape) == 3 and shape[2] > 1:
            for c, part in enumerate(self._parts(shape[2])):
                every = (slice(None), slice(c, c + 1))
                found[ScoreName(self.name, part)] = partial(_entry, self.part, every)
                for k in range(shape[1]):
                    name = ScoreName(self.name, part, k + 1)
                    found[name] = partial(_entry, self.combine, (k, c))
        return found

    @property
    def is_undefined_for_all_channels(self) -> bool:
        """Whether the channels have different units, so that they cannot be pooled."""
        metainfo = self.dataset_meta
        mixed = isinstance(metainfo, Metainfo) and metainfo.unit is None
        return mixed and "forecast" in self.requires and not self.pools_units

    @final
    def describe(self) -> dict[str, dict[str, Any]]:
        """Return the facts that a table shows beside the scores.

        Returns:
            ``{name: facts}``. ``interval`` is the 95 % interval under resampling of the blocks;
            ``intervals`` those of single channels or classes. ``units`` are those of channels
            that differ. Numbers are present only after an evaluation.
        """
        facts: dict[str, Any] = {
            "unit": self._unit(getattr(self.dataset_meta, "unit", "1")),
            "higher_is_better": self.higher_is_better,
            "convention": self.convention(),
        }
        metainfo = self.dataset_meta
        if isinstance(metainfo, Metainfo) and metainfo.unit is None:
            facts["units"] = {c.label: self._unit(c.unit) for c in metainfo.channels}
        if self._measured is not None:
            tallies = self.tallies
            facts |= {
                "num_samples": len(tallies),
                "num_blocks": len(tallies if self.blocks is None else set(self.blocks)),
                **self.span(tallies),
                **self._intervals(tallies),
                **self.count(tallies),
            }
        return {self.name: facts}

    def _intervals(self, tallies: np.ndarray) -> dict[str, Any]:
        """Bootstrap the overall score and that of each channel or class."""
        scores = self.scores_of(tallies.shape[1:])
        wanted = {name.part: score for name, score in scores.items() if name.lead is None}
        found = bootstrap_intervals(tallies, wanted, pooling=self.pooling, blocks=self.blocks)
        overall = {"interval": found.pop("")}
        return {**overall, "intervals": found} if found else overall

    def _unit(self, unit: str | None) -> str:
        """Return the unit of the score for data of a unit; empty for channels that differ."""
        if "{unit}" not in self.unit:
            return self.unit
        if unit is None:
            return ""
        if unit == "1":
            return re.sub(r"\{unit\}(\^\d+)?", "1", self.unit)
        plain = re.fullmatch(r"[^\W\d_]+|%", unit)  # "K^2", but "(m s-1)^2"
        return self.unit.replace("{unit}", unit if plain or "^" not in self.unit else f"({unit})")


def _entry(score: Score, place: tuple[Any, ...], sums: np.ndarray) -> float:
    """Score one entry or slice of sums (S, ...)."""
    return score(sums[(slice(None), *place)])


def _widened(sample: Sample) -> Sample:
    """Return a sample of frames with all its numbers in float32 or float64."""
    if "labels" in sample:
        return sample
    fields = cast(dict[str, Tensor], sample)
    widened = {k: v if v.dtype == torch.bool else as_float(v) for k, v in fields.items()}
    return cast(Sample, widened)


def _nothing(sums: np.ndarray) -> float:  # noqa: ARG001
    return math.nan
