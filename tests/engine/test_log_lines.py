"""Log lines that fit a screen."""

from collections import OrderedDict
from typing import Any

import pytest
from mmengine.runner import LogProcessor

from openstl_ext.hooks.logger import LogLines


def test_single_leads_are_for_the_trackers_not_for_the_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three scores of ten leads are thirty numbers, and nobody finds the one that matters."""
    scalars = OrderedDict({"mse": 1.0, "mse@1": 0.5, "mse@12": 1e-9, "time": 0.1})
    line = "Epoch(val) [1][4/4]    mse: 1.0000  mse@1: 0.5000  mse@12: 0.0000  time: 0.1000"

    def full(*_: Any, **__: Any) -> tuple[dict[str, Any], str]:
        return scalars, line

    monkeypatch.setattr(LogProcessor, "get_log_after_epoch", full)
    tag, said = LogLines().get_log_after_epoch(None, 0, "val")
    assert tag == scalars
    assert said == "Epoch(val) [1][4/4]    mse: 1.0000  time: 0.1000"
