"""What a replay reports: one number that was recorded, and how far ours is from it."""

from dataclasses import dataclass

TOLERANCE = 1e-5
"""Largest error that is rounding."""


@dataclass(frozen=True)
class Quantity:
    """One recorded quantity and the error of ours.

    Args:
        name: What was recorded, such as ``output`` or ``train.loss``.
        error: Largest absolute difference, divided by the scale of what was recorded; None where
            ours is not built yet.
    """

    name: str
    error: float | None
