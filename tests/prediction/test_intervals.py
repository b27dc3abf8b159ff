"""Calibrated margins of a test are applied to forecasts without targets."""

import math
from pathlib import Path

import pytest
import torch

from openstl_ext.calibration import Calibration
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.prediction.intervals import FILE, calibrate
from tests.toys import toy_method

LEARNT = Calibration(
    coverage=0.9,
    margin=(0.5, None, 1.0, 2.0),
    num_valid=(9, 0, 9, 9),
    about={"checkpoint": "elsewhere/best_epoch_3.pth"},
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Write a work directory with a calibration; return its checkpoint."""
    LEARNT.write(tmp_path / FILE)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints" / "best_epoch_3.pth"


def with_intervals():
    return toy_method("MultiHorizonRegression", "QuantileConvLSTM").eval()


def test_the_calibration_of_the_run_is_used(run: Path) -> None:
    """Maps would have the intervals that the test found too narrow."""
    method = with_intervals()
    report = calibrate(method, run)
    assert str(run.parents[1] / FILE) in report
    assert "90%" in report
    inputs = method.toy_batch(1)["inputs"]
    with torch.inference_mode():
        fields = method.answer(method.data_preprocessor({"inputs": inputs})["inputs"], 4)
    wider = fields["upper_calibrated"] - fields["upper"]
    for horizon, margin in enumerate(LEARNT.margins):
        here = wider[:, horizon]
        expected = torch.full_like(here, margin)
        torch.testing.assert_close(here, expected, equal_nan=math.isnan(margin))


def test_margins_of_other_weights_are_ignored_unless_given(run: Path) -> None:
    """Margins of another epoch would have no guaranteed coverage."""
    method, other = with_intervals(), run.with_name("best_epoch_9.pth")
    report = calibrate(method, other)
    assert "not widened" in report
    assert "best_epoch_3.pth" in report
    assert method.margin is None
    assert "widened by" in calibrate(method, other, run.parents[1] / FILE)
    assert method.margin is not None


def test_without_a_calibration_nothing_changes(tmp_path: Path) -> None:
    """Weights without a calibration could not forecast."""
    method = with_intervals()
    assert calibrate(method, tmp_path / "weights.pth") == ""
    assert method.margin is None


def test_a_mistake_about_a_calibration_is_said(run: Path) -> None:
    """If this fails, intervals are widened by nothing, or the tool ends in a traceback."""
    frames_only = toy_method("DirectForecast", "SimVP")
    assert calibrate(frames_only, run) == ""
    with pytest.raises(ConfigError, match="DirectForecast has no intervals to widen"):
        calibrate(frames_only, run, run.parents[1] / FILE)
    with pytest.raises(DataError, match="is no calibration"):
        calibrate(with_intervals(), run, run.parent / "none.json")
