"""Target and prediction of a label map in colours, with a legend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from openstl_ext.errors import UserError, nearest
from openstl_ext.visualization.error_map import ErrorMap, class_color
from openstl_ext.visualization.legend import Entry
from openstl_ext.visualization.rgb_composite import Array, overlay
from openstl_ext.visualization.saved import SavedLabels
from openstl_ext.visualization.style import FALSE_ALARM, FOUND, MISSED, UNKNOWN


@dataclass(frozen=True)
class LabelMaps:
    """Maps of a sample below its images.

    Args:
        target: Colours of the target.
        prediction: Colours of the predicted labels.
        probability: Predicted probability.
        probability_of: Name of the class with that probability.
        entries: Legend with counts of pixels.
        score: A score of this sample; empty where it has none.

    Shape:
        - target, prediction: (H, W, 3), NaN where there is no data; probability: (H, W).
    """

    target: Array
    prediction: Array
    probability: Array
    probability_of: str
    entries: list[Entry]
    score: str


def label_maps(
    sample: SavedLabels, image: Array, classes: Sequence[str], interest: str | None = None
) -> LabelMaps:
    """Colour one class against all others, or all classes.

    Args:
        sample: The saved sample.
        image: The last image, the background of the map of one class.
        classes: Name of each class.
        interest: Name or number of the class; by default the second of two, and all of more.

    Raises:
        UserError: If the class does not exist; the message proposes the nearest name.
    """
    if interest is None:
        return _one_class(sample, image, classes, 1) if len(classes) == 2 else _all(sample, classes)
    if interest in classes:
        return _one_class(sample, image, classes, list(classes).index(interest))
    if interest.isdigit() and int(interest) < len(classes):
        return _one_class(sample, image, classes, int(interest))
    raise UserError(f"there is no class {interest!r}; {nearest(interest, classes)}")


def class_names(about: Mapping[str, Any], number: int) -> list[str]:
    """Return the class names of a dataset, or numbers where they are unknown."""
    names = [str(name) for name in about.get("classes") or ()]
    return names if len(names) == number else [f"class {index}" for index in range(number)]


def _one_class(
    sample: SavedLabels, image: Array, classes: Sequence[str], interest: int
) -> LabelMaps:
    errors = ErrorMap.of(sample.target, sample.labels, interest)
    observed, unknown = errors.found | errors.missed, (errors.unknown, UNKNOWN)
    layers = (
        (errors.found, FOUND),
        (errors.false_alarm, FALSE_ALARM),
        (errors.missed, MISSED),
    )
    words = ("true positive", "false positive", "missed")
    entries = [_entry(*layer, word) for layer, word in zip(layers, words, strict=True)]
    return LabelMaps(
        target=overlay(image, (observed, FOUND), unknown),
        prediction=overlay(image, *layers, unknown),
        probability=sample.probability[interest],
        probability_of=classes[interest],
        entries=[*entries, *_unknown(errors.unknown)],
        score=f"Dice {errors.dice:.3f}" if errors.occurs else "",
    )


def _all(sample: SavedLabels, classes: Sequence[str]) -> LabelMaps:
    unknown = sample.target < 0
    palette = np.array([to_rgb(class_color(i)) for i in range(len(classes))], dtype=np.float32)
    target, prediction = palette[np.where(unknown, 0, sample.target)], palette[sample.labels]
    for colors in (target, prediction):
        colors[unknown] = to_rgb(UNKNOWN)
    entries = []
    for index, name in enumerate(classes):
        maps = (sample.target, sample.labels)
        observed, predicted = (int(((m == index) & ~unknown).sum()) for m in maps)
        if observed or predicted:
            words = f"{name}: {observed:,} px, predicted {predicted:,}"
            entries.append((class_color(index), words))
    correct = (sample.target == sample.labels)[~unknown]
    return LabelMaps(
        target=target,
        prediction=prediction,
        probability=sample.probability.max(axis=0),
        probability_of="the prediction",
        entries=[*entries, *_unknown(unknown)],
        score=f"accuracy {correct.mean():.3f}" if correct.size else "",
    )


def _entry(where: NDArray[np.bool_], color: str, words: str) -> Entry:
    return color, f"{words}: {int(where.sum()):,} px"


def _unknown(where: NDArray[np.bool_]) -> list[Entry]:
    return [_entry(where, UNKNOWN, "target unknown")] if where.any() else []
