"""Calibrated margins of a test are applied to forecasts without targets."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.calibration import Calibration
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.prediction.intervals import FILE, find_postprocessor
from openstl_ext.prediction.predictor import Predictor
from tests.toys import toy_method

LEARNT = Calibration(
    coverage=1 / 3,
    levels=(1 / 3, 2 / 3),
    margin=(0.5, None, 1.0, 2.0),
    num_valid=(9, 0, 9, 9),
    about={"checkpoint": "elsewhere/best_epoch_3.pth"},
    sha256=hashlib.sha256(b"weights").hexdigest(),
    quantile_levels=(1 / 3, 2 / 3),
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Write a work directory with a calibration; return its checkpoint."""
    LEARNT.write(tmp_path / FILE)
    (tmp_path / "checkpoints").mkdir()
    path = tmp_path / "checkpoints" / "best_epoch_3.pth"
    path.write_bytes(b"weights")
    return path


def with_intervals():
    return toy_method("MultiHorizonRegression", "QuantileConvLSTM").eval()


def test_the_calibration_of_the_run_is_used(run: Path) -> None:
    """Maps would have the intervals that the test found too narrow."""
    method = with_intervals()
    predictor = Predictor(method, device="cpu")
    predictor.postprocessor, message = find_postprocessor(method, run)
    assert str(run.parents[1] / FILE) in message
    assert "33%" in message
    inputs = {name: value.numpy() for name, value in method.toy_batch(1)["inputs"].items()}
    fields = predictor(inputs, 4)
    assert list(fields) == ["forecast", "lower", "upper", "lower_calibrated", "upper_calibrated"]
    wider = fields["upper_calibrated"] - fields["upper"]
    for horizon, margin in enumerate(LEARNT.margins):
        here = wider[:, horizon]
        np.testing.assert_allclose(here, np.full_like(here, margin), rtol=1e-5)


def test_margins_of_other_weights_are_not_used(run: Path) -> None:
    """Margins of another epoch, or of a file of the same name, have no guaranteed coverage."""
    method, other = with_intervals(), run.with_name("best_epoch_9.pth")
    for path in (other, run):
        path.write_bytes(b"other weights")
        found, message = find_postprocessor(method, path)
        assert found is None
        assert "not widened" in message
        assert "best_epoch_3.pth" in message
        with pytest.raises(ConfigError, match="other weights than"):
            find_postprocessor(method, path, run.parents[1] / FILE)


def test_each_checkpoint_has_its_own_calibration(run: Path) -> None:
    """The margins of the checkpoint that was tested last would be the only ones."""
    other = run.with_name("epoch_4.pth")
    other.write_bytes(b"other weights")
    own = replace(LEARNT, sha256=hashlib.sha256(b"other weights").hexdigest())
    own.write(own.place(run.parents[1] / FILE))
    for path in (run, other):
        found, _ = find_postprocessor(with_intervals(), path)
        assert found is not None


def test_margins_of_other_quantiles_are_refused(run: Path) -> None:
    """The margin of one interval would be added to another one."""
    replace(LEARNT, quantile_levels=(0.25, 0.75)).write(run.parents[1] / FILE)
    with pytest.raises(ConfigError, match=r"with the quantiles 0\.25, 0\.75, but the config has"):
        find_postprocessor(with_intervals(), run)


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
