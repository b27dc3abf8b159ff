"""Calibrated margins of a test are applied to forecasts without targets."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext.calibration import Calibration
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.prediction.intervals import FILE, find_postprocessor
from openstl_ext.prediction.predictor import Predictor
from tests.toys import toy_method

LEARNT = Calibration(
    coverage=0.9,
    levels=(1 / 3, 2 / 3),
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


def test_margins_of_other_weights_are_ignored_unless_given(run: Path) -> None:
    """Margins of another epoch would have no guaranteed coverage."""
    method, other = with_intervals(), run.with_name("best_epoch_9.pth")
    found, message = find_postprocessor(method, other)
    assert found is None
    assert "not widened" in message
    assert "best_epoch_3.pth" in message
    found, message = find_postprocessor(method, other, run.parents[1] / FILE)
    assert found is not None
    assert "widened by" in message


def test_without_a_calibration_nothing_changes(tmp_path: Path) -> None:
    """Weights without a calibration could not forecast."""
    method = with_intervals()
    assert find_postprocessor(method, tmp_path / "weights.pth") == (None, "")


def test_a_calibration_that_cannot_be_used_is_an_error(run: Path) -> None:
    """Intervals would stay too narrow, or the command would end in a traceback."""
    frames_only = toy_method("DirectForecast", "SimVP")
    assert find_postprocessor(frames_only, run) == (None, "")
    with pytest.raises(ConfigError, match="DirectForecast has no intervals to widen"):
        find_postprocessor(frames_only, run, run.parents[1] / FILE)
    with pytest.raises(DataError, match=r"none\.json: No such file"):
        find_postprocessor(with_intervals(), run, run.parent / "none.json")
