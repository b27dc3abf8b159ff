"""The spread of coverage is computed from the intervals of the test."""

import runpy
from pathlib import Path

import numpy as np
import pytest

TOOL = Path(__file__).parents[2] / "tools/coverage_spread.py"


@pytest.mark.parametrize(("shift", "expected"), [(0.0, 0.95), (0.5, 0.45), (-2.0, 1.0)])
def test_coverage_is_that_of_the_calibrated_interval(shift: float, expected: float) -> None:
    """An unlucky draw could not be distinguished from a wrong calibration."""
    coverage = runpy.run_path(str(TOOL))["coverage"]
    scores = (np.arange(1000) / 1000).astype(np.float32)
    # each horizon has a margin of its own: the second is ten times as wide
    given, tested = [[scores, 10 * scores]], [[scores + shift, 10 * (scores + shift)]]
    assert coverage(given, tested, 0.95) == pytest.approx(expected, abs=2e-3)
