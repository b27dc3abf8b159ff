"""Confusion matrix of labels, from which all label scores are computed."""

import math
from abc import ABC
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.metrics.base import Axis, SampleMetric
from openstl_ext.metrics.tallies import WEIGHT
from openstl_ext.score_name import is_part
from openstl_ext.structures import Sample


class LabelMetric(SampleMetric, ABC):
    """Base class of label scores: counts are summed over the whole test set and then divided.

    There is no mean over samples, so a patch with three pixels of a class does not count as much
    as a full one. The counts are integers, so the score is exact for any number of processes.

    Args:
        classes: Name of each class, in the order of the dataset, of which they are by default;
            scores of single classes are called ``<name>[<class>]``.

    Raises:
        ConfigError: If there are fewer than two classes, a class twice, a name that is not one
            word without ``@``, ``[`` and ``]``, or the dataset has other classes or none.
    """

    requires: tuple[str, ...] = ("labels",)
    axes: tuple[Axis, ...] = ("class",)
    unit = "1"
    higher_is_better = True

    def __init__(self, *, classes: Sequence[str] | None = None) -> None:
        super().__init__()
        self.classes = () if classes is None else self._checked(classes)

    @staticmethod
    def _checked(classes: Sequence[str]) -> tuple[str, ...]:
        names = () if isinstance(classes, str) else tuple(classes)
        if len(names) < 2 or len(set(names)) < len(names):
            raise ConfigError(f"classes must be two or more different names, got {classes!r}")
        if odd := [c for c in names if not is_part(c)]:
            raise ConfigError(f"a class is one word without '@', '[' and ']', not {odd[0]!r}")
        return names

    @property
    def dataset_meta(self) -> Any:
        """Metainfo of the dataset; None until the evaluator has set it."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, metainfo: Any) -> None:
        theirs = tuple(getattr(metainfo, "classes", None) or ())
        if not theirs and not self.classes:
            raise ConfigError(
                f"{type(self).__name__}: the dataset names no classes; set classes=[...]"
            )
        self.classes = self.classes or self._checked(theirs)
        if theirs and theirs != self.classes:
            raise ConfigError(
                f"{type(self).__name__}: classes are {list(self.classes)}, but the dataset has "
                f"{list(theirs)}; scores would have wrong names"
            )
        self._dataset_meta = metainfo

    def labels(self) -> tuple[str, ...]:
        return self.classes if self.axes else ()

    def _expected_shape(self, sample: Sample) -> tuple[int, ...]:  # noqa: ARG002
        return (len(self.classes),) if self.axes else ()

    def confusion(self, sample: Sample) -> Tensor:
        """Count how often each class (row) was predicted as each class (column).

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: alike; sample["probability"],
              where there is one: the same with a first axis K.
            - returns: (K, K), float64; NaN where a probability of a valid pixel is not finite,
              because its label is then arbitrary.

        Raises:
            DataError: If a valid pixel has an unknown class.
            ConfigError: If the net predicts other classes, or several labels per sample.
        """
        number, valid = len(self.classes), sample["valid"]
        probability = sample.get("probability")
        if probability is not None and probability.ndim == sample["target"].ndim:
            raise ConfigError(
                f"{type(self).__name__} scores one class per sample or pixel, but these samples "
                "have a label of 0 or 1 for each class; use F1Micro, F1Macro, SubsetAccuracy, "
                "AveragePrecisionMicro or AveragePrecisionMacro"
            )
        if probability is not None and len(probability) != number:
            raise ConfigError(
                f"the net predicts {len(probability)} classes, but {type(self).__name__} has "
                f"{number}: {', '.join(self.classes)}"
            )
        target, labels = (sample[side][valid].long() for side in ("target", "labels"))  # type: ignore[literal-required]
        self._check(target, "the target has")
        self._check(labels, "the method predicts")
        counts = torch.bincount(target * number + labels, minlength=number**2).double()
        if probability is not None and not bool((probability.isfinite() | ~valid).all()):
            counts = torch.full_like(counts, torch.nan)
        return counts.view(number, number)

    def _check(self, labels: Tensor, subject: str) -> None:
        """Reject labels that would be counted as another pair of classes."""
        if not len(labels):
            return
        least, most = (int(end) for end in labels.aminmax())
        if least < 0 or most >= len(self.classes):
            wrong = most if least >= 0 else least
            raise DataError(
                f"{subject} class {wrong} at a valid pixel, but classes are 0 to "
                f"{len(self.classes) - 1}: {', '.join(self.classes)}; a value for pixels "
                "without a label belongs in the dataset's ignore index"
            )

    def class_mean(self, sums: np.ndarray) -> float:
        """Return the mean score of the classes that have one, of sums (S, K); NaN without any."""
        known = [self.combine(column) for column in sums.T if not self._is_absent(column)]
        return math.fsum(known) / len(known) if known else math.nan

    def count(self, tallies: np.ndarray) -> dict[str, int]:
        """Count the classes without a score, which are left out of a mean."""
        if not self.axes:
            return {}
        sums = self.pooling(tallies)(None)
        return {"num_unscored_classes": sum(self._is_absent(column) for column in sums.T)}

    def _is_absent(self, sums: np.ndarray) -> bool:
        """Return whether a class has no score for another reason than numbers that are NaN."""
        return math.isnan(self.combine(sums)) and bool(np.isfinite(sums).all())

    def span(self, tallies: np.ndarray) -> dict[str, Any]:
        """List the classes, and count the samples without a valid pixel."""
        nothing = tallies[:, WEIGHT].reshape(len(tallies), -1).sum(axis=1) == 0
        return {"classes": list(self.classes), "num_unscored_samples": int(nothing.sum())}
