"""Counts of what was answered where, from which all scores of labels are made."""

from abc import ABC
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.tallies import WEIGHT
from openstl_ext.structures import Sample


class LabelMetric(SampleMetric, ABC):
    """A score of classes, made of counts that are summed over the whole test set and then divided.

    No mean over samples: a patch with three pixels of a site has no say of its own. The counts
    are whole numbers, so the score is exact however the samples were dealt out.

    Args:
        classes: Name of each class, in the order of the dataset's; scores of single classes are
            called ``<name>@<class>``.

    Raises:
        ConfigError: If there are fewer than two classes, one twice or one whose name no table can
            show, or the dataset names others.
    """

    judges = "labels"
    unit = "1"
    higher_is_better = True

    def __init__(self, *, classes: Sequence[str]) -> None:
        super().__init__()
        self.classes = () if isinstance(classes, str) else tuple(classes)
        if len(self.classes) < 2 or len(set(self.classes)) < len(self.classes):
            raise ConfigError(f"classes are two or more names, each once; got {classes!r}")
        if odd := [c for c in self.classes if not c or "@" in c or c.split() != [c]]:
            raise ConfigError(f"a class is named by a word without spaces and @, not {odd[0]!r}")

    @property
    def dataset_meta(self) -> Any:
        """What the dataset says about itself, once an evaluator has told."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, metainfo: Any) -> None:
        theirs = tuple(getattr(metainfo, "classes", None) or ())
        if theirs and theirs != self.classes:
            raise ConfigError(
                f"{type(self).__name__}: classes are {list(self.classes)}, but those of the "
                f"dataset are {list(theirs)}; columns would go by wrong names"
            )
        self._dataset_meta = metainfo

    def confusion(self, sample: Sample) -> Tensor:
        """How often each class (a row) was answered with each class (a column).

        Shape:
            - sample["target"], sample["labels"], sample["valid"]: alike; sample["probability"],
              where there is one: the same with a first axis K.
            - returns: (K, K), float64; NaN where a probability of a valid pixel is not finite,
              for then its label means nothing.

        Raises:
            DataError: If a valid pixel holds a class that there is not.
            ConfigError: If the net tells apart another number of classes.
        """
        number, valid = len(self.classes), sample["valid"]
        probability = sample.get("probability")
        if probability is not None and len(probability) != number:
            raise ConfigError(
                f"the net tells {len(probability)} classes apart, but {type(self).__name__} "
                f"names {number}: {', '.join(self.classes)}"
            )
        truth, answer = (sample[side][valid].long() for side in ("target", "labels"))  # type: ignore[literal-required]
        self._check(truth, "the truth holds")
        self._check(answer, "the method answers")
        counts = torch.bincount(truth * number + answer, minlength=number**2).double()
        if probability is not None and not bool((probability.isfinite() | ~valid).all()):
            counts = torch.full_like(counts, torch.nan)
        return counts.view(number, number)

    def _check(self, labels: Tensor, says: str) -> None:
        """Refuse labels that would be counted as another pair of classes."""
        if not len(labels):
            return
        least, most = (int(end) for end in labels.aminmax())
        if least < 0 or most >= len(self.classes):
            raise DataError(
                f"{says} class {most if least >= 0 else least} at a valid pixel, but classes are "
                f"0 to {len(self.classes) - 1}: {', '.join(self.classes)}; a value for pixels "
                "without a label belongs into the dataset's ignore index"
            )

    def span(self, tallies: np.ndarray) -> dict[str, Any]:
        """How many classes there are, and in how many samples no pixel was to be judged."""
        nothing = tallies[:, WEIGHT].sum(axis=1) == 0
        return {"classes": list(self.classes), "num_unscored_samples": int(nothing.sum())}
