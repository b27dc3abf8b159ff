"""Truth and answer of a labelled map in colours, and what the colours mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from openstl_ext.errors import UserError, nearest
from openstl_ext.visualization.error_map import (
    FALSE_ALARM,
    FOUND,
    MISSED,
    UNKNOWN,
    Verdicts,
    class_color,
)
from openstl_ext.visualization.legend import Entry
from openstl_ext.visualization.rgb_composite import Array, on_grey
from openstl_ext.visualization.saved import SavedLabels


@dataclass(frozen=True)
class LabelMaps:
    """What is drawn of a sample beside its images.

    Args:
        truth: Colours of what is there.
        answer: Colours of what was said.
        probability: How sure the answer is.
        sure_of: What the probability is of.
        entries: What the colours mean, with counts.
        remark: A score of this one sample; empty where there is none.

    Shape:
        - truth, answer: (H, W, 3), NaN where there is no data; probability: (H, W).
    """

    truth: Array
    answer: Array
    probability: Array
    sure_of: str
    entries: list[Entry]
    remark: str


def label_maps(
    sample: SavedLabels, image: Array, classes: Sequence[str], interest: str | None = None
) -> LabelMaps:
    """Draw one class against all others where there are two or one is named; else all classes.

    Args:
        sample: What was saved.
        image: The last image, below what is drawn of one class.
        classes: Name of each class.
        interest: Name or number of the class; of two, the second if not given.

    Raises:
        UserError: If there is no such class; it proposes the nearest.
    """
    if interest is None:
        return _one_class(sample, image, classes, 1) if len(classes) == 2 else _all(sample, classes)
    if interest in classes:
        return _one_class(sample, image, classes, list(classes).index(interest))
    if interest.isdigit() and int(interest) < len(classes):
        return _one_class(sample, image, classes, int(interest))
    raise UserError(f"there is no class {interest!r}; {nearest(interest, classes)}")


def class_names(about: Mapping[str, Any], number: int) -> list[str]:
    """What the data call their classes, or their numbers."""
    names = [str(name) for name in about.get("classes") or ()]
    return names if len(names) == number else [f"class {index}" for index in range(number)]


def _one_class(
    sample: SavedLabels, image: Array, classes: Sequence[str], interest: int
) -> LabelMaps:
    verdicts = Verdicts.of(sample.truth, sample.labels, interest)
    there, unknown = verdicts.found | verdicts.missed, (verdicts.unknown, UNKNOWN)
    layers = (
        (verdicts.found, FOUND),
        (verdicts.false_alarm, FALSE_ALARM),
        (verdicts.missed, MISSED),
    )
    words = ("true positive", "false positive", "missed")
    entries = [_entry(*layer, word) for layer, word in zip(layers, words, strict=True)]
    return LabelMaps(
        truth=on_grey(image, (there, FOUND), unknown),
        answer=on_grey(image, *layers, unknown),
        probability=sample.probability[interest],
        sure_of=classes[interest],
        entries=[*entries, *_not_known(verdicts.unknown)],
        remark=f"Dice {verdicts.dice:.3f}" if verdicts.occurs else "",
    )


def _all(sample: SavedLabels, classes: Sequence[str]) -> LabelMaps:
    unknown = sample.truth < 0
    palette = np.array([to_rgb(class_color(i)) for i in range(len(classes))], dtype=np.float32)
    truth, answer = palette[np.where(unknown, 0, sample.truth)], palette[sample.labels]
    for colors in (truth, answer):
        colors[unknown] = to_rgb(UNKNOWN)
    entries = []
    for index, name in enumerate(classes):
        there, said = (((m == index) & ~unknown).sum() for m in (sample.truth, sample.labels))
        if there or said:
            words = f"{name}: {int(there):,} px, predicted {int(said):,}"
            entries.append((class_color(index), words))
    right = (sample.truth == sample.labels)[~unknown]
    return LabelMaps(
        truth=truth,
        answer=answer,
        probability=sample.probability.max(axis=0),
        sure_of="the answer",
        entries=[*entries, *_not_known(unknown)],
        remark=f"accuracy {right.mean():.3f}" if right.size else "",
    )


def _entry(where: NDArray[np.bool_], color: str, words: str) -> Entry:
    return color, f"{words}: {int(where.sum()):,} px"


def _not_known(where: NDArray[np.bool_]) -> list[Entry]:
    return [_entry(where, UNKNOWN, "truth not known")] if where.any() else []
