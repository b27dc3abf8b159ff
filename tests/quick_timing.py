"""The time of a prediction without its measurement, which takes a second for each record."""

from typing import Any

from openstl_ext.profiling.speed import Timing

SECONDS, CALLS = 0.5, 7


def _timing(*_: Any, **__: Any) -> Timing:
    return Timing(SECONDS, CALLS)


QUICK_TIMING = ("openstl_ext.profiling.report.time_prediction", _timing)
"""Arguments of ``monkeypatch.setattr``."""
