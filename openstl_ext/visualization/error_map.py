"""Compare predicted labels with the target pixel by pixel, and the colours of classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openstl_ext.visualization.style import CLASSES, MORE_CLASSES


@dataclass(frozen=True)
class ErrorMap:
    """Comparison of one class with all others, per pixel.

    Shape:
        - found, false_alarm, missed, unknown: (H, W), bool; at most one is True at a pixel.
    """

    found: NDArray[np.bool_]
    false_alarm: NDArray[np.bool_]
    missed: NDArray[np.bool_]
    unknown: NDArray[np.bool_]

    @classmethod
    def of(cls, target: NDArray[np.int64], labels: NDArray[np.int64], interest: int) -> "ErrorMap":
        """Compare predicted labels with the target.

        Args:
            target: Class indices, below 0 where unknown.
            labels: Predicted class indices.
            interest: Index of the class.
        """
        known, observed, predicted = target >= 0, target == interest, labels == interest
        false_alarm, missed = known & ~observed & predicted, observed & ~predicted
        return cls(observed & predicted, false_alarm, missed, ~known)

    @property
    def occurs(self) -> bool:
        """Whether the class is observed or predicted at a known pixel."""
        return bool((self.found | self.false_alarm | self.missed).any())

    @property
    def dice(self) -> float:
        """Dice of this map; NaN where the class is neither observed nor predicted."""
        hits, wrong = int(self.found.sum()), int(self.false_alarm.sum() + self.missed.sum())
        return 2 * hits / (2 * hits + wrong) if hits + wrong else float("nan")


def class_color(index: int) -> str:
    """Return the colour of a class; colours repeat after sixteen classes."""
    colors = (*CLASSES, *MORE_CLASSES)
    return colors[index % len(colors)]
