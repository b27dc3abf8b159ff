"""Where a map of labels is right, and how it is wrong where it is not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOUND, FALSE_ALARM, MISSED = "#0072b2", "#d55e00", "#f0e442"
"""After Okabe and Ito: apart for all eyes, and from any grey."""
UNKNOWN = "#4d4d4d"
CLASSES = ("#dddddd", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#56b4e9", "#d55e00")
"""The first eight classes; the first is often the background."""
MORE = ("#882255", "#999933", "#332288", "#88ccee", "#661100", "#117733", "#aa4499", "#6699cc")


@dataclass(frozen=True)
class Verdicts:
    """One class against all others, pixel by pixel.

    Shape:
        - found, false_alarm, missed, unknown: (H, W), bool; of no pixel are two true.
    """

    found: NDArray[np.bool_]
    false_alarm: NDArray[np.bool_]
    missed: NDArray[np.bool_]
    unknown: NDArray[np.bool_]

    @classmethod
    def of(cls, truth: NDArray[np.int64], labels: NDArray[np.int64], interest: int) -> "Verdicts":
        """Compare an answer with the truth.

        Args:
            truth: Class indices, below 0 where nobody knows.
            labels: What was said.
            interest: The class.
        """
        known, there, said = truth >= 0, truth == interest, labels == interest
        return cls(there & said, known & ~there & said, there & ~said, ~known)

    @property
    def occurs(self) -> bool:
        """Whether the class is there or was said, where the truth is known."""
        return bool((self.found | self.false_alarm | self.missed).any())

    @property
    def dice(self) -> float:
        """Dice of this one map; NaN where the class is neither there nor said."""
        hits, wrong = int(self.found.sum()), int(self.false_alarm.sum() + self.missed.sum())
        return 2 * hits / (2 * hits + wrong) if hits + wrong else float("nan")


def class_color(index: int) -> str:
    """Colour of a class; beyond sixteen they repeat, and the legend tells them apart."""
    colors = (*CLASSES, *MORE)
    return colors[index % len(colors)]
