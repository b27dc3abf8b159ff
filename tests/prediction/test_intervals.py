"""Margins that a test learnt reach the forecasts of years to come."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext.calibration import Calibration
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.prediction.intervals import FILE, find_postprocessor
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.registry import METHODS, MODELS

LEARNT = Calibration(
    coverage=0.9,
    levels=(1 / 3, 2 / 3),
    margin=(0.5, None, 1.0, 2.0),
    num_valid=(9, 0, 9, 9),
    about={"checkpoint": "elsewhere/best_epoch_3.pth"},
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A work directory that was tested; returns its checkpoint."""
    LEARNT.write(tmp_path / FILE)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints" / "best_epoch_3.pth"


def with_intervals():
    method = METHODS.get("MultiHorizonRegression")
    return method.toy(MODELS.get("QuantileConvLSTM").toy()).eval()


def test_the_calibration_of_the_run_is_taken(run: Path) -> None:
    """Else maps show intervals that the test had found too narrow."""
    method = with_intervals()
    predictor = Predictor(method, device="cpu")
    predictor.postprocessor, message = find_postprocessor(method, run)
    assert str(run.parents[1] / FILE) in message
    assert "90%" in message
    inputs = {name: value.numpy() for name, value in method.toy_batch(1)["inputs"].items()}
    fields = predictor(inputs, 4)
    assert list(fields) == ["forecast", "lower", "upper", "lower_calibrated", "upper_calibrated"]
    wider = fields["upper_calibrated"] - fields["upper"]
    for horizon, margin in enumerate(LEARNT.margins):
        here = wider[:, horizon]
        np.testing.assert_allclose(here, np.full_like(here, margin), rtol=1e-5)


def test_margins_of_other_weights_are_left_aside_unless_named(run: Path) -> None:
    """A run that is tested at another epoch leaves margins that promise nothing for this one."""
    method, other = with_intervals(), run.with_name("best_epoch_9.pth")
    found, message = find_postprocessor(method, other)
    assert found is None
    assert "not widened" in message
    assert "best_epoch_3.pth" in message
    found, message = find_postprocessor(method, other, run.parents[1] / FILE)
    assert found is not None
    assert "widened by" in message


def test_without_a_calibration_nothing_is_said(tmp_path: Path) -> None:
    """Weights from elsewhere have none, and still forecast."""
    method = with_intervals()
    assert find_postprocessor(method, tmp_path / "weights.pth") == (None, "")


def test_a_mistake_about_a_calibration_is_said(run: Path) -> None:
    """If this fails, intervals are widened by nothing, or the tool ends in a traceback."""
    frames_only = METHODS.get("DirectForecast").toy()
    assert find_postprocessor(frames_only, run) == (None, "")
    with pytest.raises(ConfigError, match="DirectForecast has no intervals to widen"):
        find_postprocessor(frames_only, run, run.parents[1] / FILE)
    with pytest.raises(DataError, match=r"none\.json: No such file"):
        find_postprocessor(with_intervals(), run, run.parent / "none.json")
