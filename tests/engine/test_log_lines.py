"""Lines of the log."""

from collections import OrderedDict
from typing import Any

import pytest
from mmengine.runner import LogProcessor

from openstl_ext.hooks.logger import LogLines


def test_scores_of_single_leads_are_not_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three scores of ten leads would be thirty numbers in one line."""
    scalars = OrderedDict({"mse": 1.0, "mse@1": 0.5, "mse@12": 1e-9, "time": 0.1})
    line = "Epoch(val) [1][4/4]    mse: 1.0000  mse@1: 0.5000  mse@12: 0.0000  time: 0.1000"

    def full(*_: Any, **__: Any) -> tuple[dict[str, Any], str]:
        return scalars, line

    monkeypatch.setattr(LogProcessor, "get_log_after_epoch", full)
    tag, shown = LogLines().get_log_after_epoch(None, 0, "val")
    assert tag == scalars
    assert shown == "Epoch(val) [1][4/4]    mse: 1.0000  time: 0.1000"
