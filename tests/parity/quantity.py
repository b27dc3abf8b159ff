"""Result of a replay: one recorded number and the error of ours."""

from dataclasses import dataclass

TOLERANCE = 1e-5
"""Largest error that can be rounding."""


@dataclass(frozen=True)
class Quantity:
    """One recorded quantity and the error of ours.

    Args:
        name: Name of the recorded quantity, such as ``output`` or ``train.loss``.
        error: Largest absolute difference, divided by the scale of the recorded values; None if
            there is no adapter.
    """

    name: str
    error: float | None
