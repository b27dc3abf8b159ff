"""The Python API gives what training and test runs give, for bare arrays."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config

import openstl_ext
from openstl_ext.engine import checkpoint as checkpoints
from openstl_ext.engine.runner import build
from openstl_ext.errors import CheckpointError, ConfigError, DataError, ShapeError, UserError
from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.mean_pixel import MeanMSE
from openstl_ext.registry import METRICS, MODELS
from openstl_ext.visualization.saved import SavedFolder
from tests.small_recipe import shrink

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / "configs/boiling/simvp_gsta_small.py"
GOOD = np.random.default_rng(0).uniform(0, 1, (3, 4, 2, 12, 12)).astype(np.float32)
TARGET = np.random.default_rng(1).uniform(0, 1, GOOD.shape).astype(np.float32)


@pytest.fixture(scope="module")
def config() -> Config:
    return shrink(openstl_ext.load_config(RECIPE))


@pytest.fixture(scope="module")
def model(config: Config) -> Any:
    return openstl_ext.load_model(config)


@pytest.fixture
def frames(config: Config) -> np.ndarray:
    shape = (3, *config.model.net.in_shape)
    return np.random.default_rng(2).uniform(0, 1, shape).astype(np.float32)


@pytest.fixture
def registries() -> Iterator[None]:
    """Remove what a test registers."""
    kept = {registry: dict(registry.module_dict) for registry in (METRICS, MODELS)}
    yield
    for registry, classes in kept.items():
        registry.module_dict.clear()
        registry.module_dict.update(classes)


def test_the_package_imports_no_library() -> None:
    """Commands without a model would start seconds later."""
    code = "import sys, openstl_ext; sys.exit(str({'torch', 'mmengine', 'numpy'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"


def test_overrides_by_key_are_those_of_the_command_line() -> None:
    """A notebook would train another config than the command."""
    values = {"train_cfg.max_epochs": 2, "load_from": "a b.pth", "+model.net.act": [1, None]}
    entries = ["train_cfg.max_epochs=2", "load_from=a b.pth", "+model.net.act=[1, None]"]
    ours, theirs = (openstl_ext.load_config(RECIPE, each).to_dict() for each in (values, entries))
    del ours["overrides"], theirs["overrides"]  # as written
    assert ours == theirs


def test_a_model_without_checkpoint_has_the_initial_weights_of_a_run(
    config: Config, model: Any, tmp_path: Path
) -> None:
    """A comparison before and after training would start from other weights."""
    run = build(Config({**config.to_dict(), "work_dir": str(tmp_path)}))
    for name, value in run.model.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], value, rtol=0, atol=0)


def test_a_checkpoint_is_a_file_or_the_best_of_a_work_directory(
    config: Config, tmp_path: Path
) -> None:
    """The weights in use would not be those that the user named."""
    for kind, name, value in (("resume", "epoch_1", 1.0), ("best", "best_epoch_1", 2.0)):
        state = openstl_ext.load_model(config).state_dict()
        weights = {k: torch.full_like(v, value) for k, v in state.items()}
        entry = checkpoints.Entry(file=f"{name}.pth", epoch=1, iteration=1, kind=kind)
        checkpoints.save({"state_dict": weights}, tmp_path, entry, keep=2)
    file = tmp_path / "checkpoints/epoch_1.pth"
    for checkpoint, value in ((file, 1.0), (tmp_path, 2.0)):
        loaded = openstl_ext.load_model(config, checkpoint)
        assert not loaded.training
        assert {float(v.min()) for v in loaded.state_dict().values()} == {value}
    wider = {"+model.net.spatial_channels": 8, "model.net.in_shape": config.model.net.in_shape}
    with pytest.raises(CheckpointError, match="do not fit"):
        openstl_ext.load_model(openstl_ext.load_config(RECIPE, wider), file)


def test_an_array_gets_the_answer_of_the_method(model: Any, frames: np.ndarray) -> None:
    """A forecast in a notebook would differ from that of a test."""
    with torch.no_grad():
        batch = model.data_preprocessor({"inputs": {"frames": torch.from_numpy(frames)}})
        reference = model.answer(batch["inputs"], 4)["forecast"].numpy()
    found = openstl_ext.forecast(model, frames, 4)
    np.testing.assert_array_equal(found, reference)
    assert found.dtype == np.float32
    one = openstl_ext.forecast(model, frames[0], 4)
    np.testing.assert_allclose(one, reference[0], rtol=1e-4, atol=1e-5)
    many = openstl_ext.forecast(model, np.repeat(frames, 4, axis=0), 4)  # in several batches
    np.testing.assert_allclose(many, np.repeat(reference, 4, axis=0), rtol=1e-4, atol=1e-5)


def test_a_tensor_gets_a_tensor_and_any_number_type_is_accepted(
    model: Any, frames: np.ndarray
) -> None:
    """Users would convert arrays by hand, and make mistakes there."""
    reference = openstl_ext.forecast(model, frames)
    assert reference.shape == frames.shape
    for given in (torch.from_numpy(frames), torch.from_numpy(frames).double().requires_grad_()):
        found = openstl_ext.forecast(model, given)
        assert isinstance(found, torch.Tensor)
        np.testing.assert_array_equal(found.numpy(), reference)
    np.testing.assert_array_equal(openstl_ext.forecast(model, frames.astype(">f8")), reference)
    whole = (2 * frames).astype(np.uint8)
    as_float = openstl_ext.forecast(model, whole.astype(np.float32))
    np.testing.assert_array_equal(openstl_ext.forecast(model, whole), as_float)


def test_frames_that_the_dataset_of_the_config_cannot_have_are_refused(
    model: Any, frames: np.ndarray
) -> None:
    """Bytes would be forecast by a net for 0 to 1, without a word."""
    for bad, message in (
        (255 * frames, "divide bytes by 255"),
        ((255 * frames).astype(np.uint8), "divide bytes by 255"),
        (frames.repeat(3, axis=2), "SimVP was built for .* 3 channels"),
        (np.moveaxis(frames, 2, -1), "height x width x channel"),
    ):
        with pytest.raises((DataError, ShapeError), match=message):
            openstl_ext.forecast(model, bad)
    nothing = np.zeros(frames.shape, bool)
    with pytest.raises(DataError, match="no usable value"):
        openstl_ext.forecast(model, frames, valid=nothing)


def test_a_model_in_training_stays_in_training(model: Any, frames: np.ndarray) -> None:
    """Dropout and batch statistics would be off for the rest of a training loop."""
    reference = openstl_ext.forecast(model, frames)
    model.train()
    try:
        np.testing.assert_array_equal(openstl_ext.forecast(model, frames), reference)
        assert model.training
    finally:
        model.eval()


def test_pixels_without_data_do_not_change_a_forecast(model: Any, frames: np.ndarray) -> None:
    """A fill value would spread into the forecast."""
    valid = np.ones(frames.shape, dtype=bool)
    valid[:, :, :, :2] = False
    filled = [np.where(valid, frames, fill) for fill in (np.nan, -999)]
    first, second = (openstl_ext.forecast(model, each, valid=valid) for each in filled)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda x: x[0, 0], ShapeError, r"frames has shape .* expected \(T, C, H, W\) or"),
        (lambda x: x[:0], ShapeError, "frames has shape"),
        (lambda x: np.repeat(x, 3, axis=2), ShapeError, "SimVP"),
        (lambda x: np.where(x < 0.1, np.nan, x), DataError, "NaN or infinite; .*valid="),
        (lambda x: x.tolist(), ConfigError, "of type list, expected a NumPy array"),
        (lambda x: x.astype(complex), ConfigError, "of type complex"),
    ],
)
def test_frames_that_a_model_cannot_take_are_one_sentence(
    model: Any, frames: np.ndarray, change: Any, error: type[UserError], words: str
) -> None:
    """The user would see a traceback from within a convolution, or a wrong forecast."""
    with pytest.raises(error, match=words) as caught:
        openstl_ext.forecast(model, change(frames))
    assert "\n" not in str(caught.value)


def test_a_horizon_of_no_frames_and_a_net_are_refused(model: Any, frames: np.ndarray) -> None:
    """An empty array would be scored as NaN much later."""
    with pytest.raises(ShapeError, match="horizon is 0, expected 1"):
        openstl_ext.forecast(model, frames, 0)
    with pytest.raises(ConfigError, match="SimVP does not predict frames"):
        openstl_ext.forecast(model.net, frames)


def test_the_scores_are_those_of_a_test_run(config: Config, model: Any, tmp_path: Path) -> None:
    """A number in a notebook would not compare with one in the leaderboard."""
    weights = tmp_path / "weights.pth"
    torch.save(model.state_dict(), weights)
    work = {"work_dir": str(tmp_path), "load_from": str(weights)}
    hooks = {"custom_hooks": [{"type": "PredictionsHook"}]}
    scores = build(Config({**config.to_dict(), **work, **hooks}), train=False).test()
    folder = SavedFolder(tmp_path / "saved")
    saved = [folder.load(name) for name in folder.sample_ids]
    predicted, observed = (
        np.stack([getattr(each, side) for each in saved]) for side in ("forecast", "target")
    )
    assert openstl_ext.evaluate(predicted, observed, config.test_evaluator) == scores
    some = openstl_ext.evaluate(predicted, torch.from_numpy(observed), ["ssim", MeanMSE])
    assert some.keys() == {k for k in scores if k.partition("@")[0] in ("ssim", "mse")}
    assert some.items() <= scores.items()
    alone = openstl_ext.evaluate(predicted[0], observed[0], "mse")
    assert alone == openstl_ext.evaluate(predicted[:1], observed[:1], "mse")


def test_only_valid_pixels_count() -> None:
    """Fill values would enter the score."""
    valid = GOOD > 0.5
    forecast = np.where(valid, GOOD, np.nan)
    scores = openstl_ext.evaluate(forecast, TARGET, valid=valid)
    difference = (GOOD - TARGET).astype(np.float64)[valid]
    assert scores["mse"] == pytest.approx((difference**2).mean())
    assert scores["mae"] == pytest.approx(np.abs(difference).mean())
    # a bare array has no channel names, so channels have their positions
    channels = ("", *(f"[{channel}]" for channel in range(TARGET.shape[2])))
    assert set(scores) == {
        f"{name}{channel}{lead}"
        for name in ("mse", "mae")
        for channel in channels
        for lead in ("", "@1", "@2", "@3", "@4")
    }


def test_labels_are_scored_by_class() -> None:
    """A segmentation could not be evaluated in a notebook."""
    observed = np.array([[0, 1], [1, 1]])
    metric = {"type": "IoU", "classes": ["land", "water"]}
    scores = openstl_ext.evaluate(np.array([[0, 1], [0, 1]]), observed, metric)
    assert scores["iou"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    scores = openstl_ext.evaluate(np.zeros((2, 2)), observed, [metric], valid=observed == 0)
    assert scores["iou"] == 1


def test_a_field_that_a_metric_requires_is_passed_by_name() -> None:
    """Metrics of change could not be computed from arrays."""
    last = GOOD[:, 0]
    with pytest.raises(ConfigError, match="requires last of each sample"):
        openstl_ext.evaluate(GOOD, TARGET, "r2_change")
    batch = openstl_ext.evaluate(GOOD[:1], TARGET[:1], "r2_change", last=last[:1])
    assert openstl_ext.evaluate(GOOD[0], TARGET[0], "r2_change", last=last[0]) == batch
    with pytest.raises(ConfigError, match="no sample has a field 'lst'; did you mean 'last'"):
        openstl_ext.evaluate(GOOD, TARGET, "r2_change", lst=last)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((GOOD, TARGET[:2]), ShapeError, r"the target \(2, 4, 2, 12, 12\)"),
        ((GOOD[0, 0], TARGET[0, 0]), ShapeError, "forecast has shape"),
        ((GOOD * np.inf, TARGET), DataError, "forecast has 3,456 values of 3,456"),
        ((GOOD, TARGET * np.nan), DataError, "target has"),
        ((GOOD, TARGET, "msee"), ConfigError, "no score 'msee'; did you mean .*'mse'"),
        ((GOOD, TARGET, ["mse", MeanMSE]), ConfigError, "two metrics compute 'mse'"),
        ((GOOD, TARGET, "iou"), ConfigError, "IoU needs 'classes'"),
        ((GOOD, TARGET, int), ConfigError, "no metric of samples"),
        ((GOOD, TARGET, []), ConfigError, "name at least one"),
    ],
)
def test_what_cannot_be_evaluated_is_one_sentence(
    arguments: Any, error: type[UserError], words: str
) -> None:
    """The user would get NaN, a broadcast result or a traceback."""
    with pytest.raises(error, match=words):
        openstl_ext.evaluate(*arguments)


def test_a_mask_has_the_shape_of_the_target() -> None:
    """A mask of one frame would be broadcast to others."""
    with pytest.raises(ShapeError, match=r"valid has shape \(12, 12\), expected \(3, 4, 2, 12, 12"):
        openstl_ext.evaluate(GOOD, TARGET, valid=np.ones((12, 12), dtype=bool))


def test_running_the_documented_cell_again_replaces_its_class(registries: None) -> None:
    """A notebook would have to be restarted after every edit."""
    page = (ROOT / "docs/python_api.md").read_text(encoding="utf-8")
    assert all(f"## {name}\n" in page for name in openstl_ext.__all__ if name != "__version__")
    cell = page.partition("## register")[2].partition("```python\n")[2].partition("```")[0]
    known = {"openstl_ext": openstl_ext, "SampleMetric": SampleMetric, "Tally": Tally}
    largest = np.abs(GOOD - TARGET).max(axis=(2, 3, 4)).mean()
    for factor in (1, 2):
        edited = cell.replace("total=error", f"total={factor} * error")
        exec(edited, {**known, "torch": torch, "__name__": "notebook"})
        scores = openstl_ext.evaluate(GOOD, TARGET, "largest")
        assert scores["largest"] == pytest.approx(factor * largest)
    with pytest.raises(ConfigError, match="LargestError is defined in notebook already"):
        exec(cell, {**known, "torch": torch, "__name__": "other"})


def test_a_class_of_the_package_is_not_replaced(registries: None) -> None:
    """A recipe would be trained with another net under its published name."""
    with pytest.raises(ConfigError, match="SimVP is defined in openstl_ext"):
        openstl_ext.register("model")(type("SimVP", (), {}))
    with pytest.raises(ConfigError, match=r"register needs the kind .* did you mean 'model'"):
        openstl_ext.register("modell")


def test_a_score_name_of_two_metrics_is_not_chosen_silently(registries: None) -> None:
    """The user would read the score of another class."""
    mine = type("MyMSE", (MeanMSE,), {"__module__": "notebook"})
    openstl_ext.register("metric")(mine)
    assert issubclass(mine, SampleMetric)
    with pytest.raises(ConfigError, match="MeanMSE and MyMSE compute 'mse'"):
        openstl_ext.evaluate(GOOD, TARGET, "mse")
    assert openstl_ext.evaluate(GOOD, TARGET, mine) == openstl_ext.evaluate(GOOD, TARGET, MeanMSE)
