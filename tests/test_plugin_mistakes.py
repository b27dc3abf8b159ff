"""A mistake in a plugin ends the real command with one sentence and status 2."""

from pathlib import Path

import pytest

from tests.command_line import TOOLS, run_tool

CONFIG = f"""
_base_ = ["{TOOLS.parent}/configs/_base_/runtime.py"]
custom_imports = dict(imports=["tests.engine.toy", "tests.engine.toy_mistakes"])
model = dict(type="{{method}}", net=dict(type="{{net}}"){{loss}})
train_dataloader = dict(batch_size=3, dataset=dict(type="{{dataset}}", num_samples=3))
val_dataloader = dict(batch_size=3, dataset=dict(type="ToyWaves", split="val", num_samples=3))
val_evaluator = [dict(type="MeanMSE")]
train_cfg = dict(max_epochs=1)
optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-2))
"""
PARTS = {"method": "DirectForecast", "net": "ToyNet", "dataset": "ToyWaves"}
MISTAKES = {
    "a net without interface": (
        {"net": "NetWithoutInterface"},
        "NetWithoutInterface declares no interface; add a class attribute",
    ),
    "a net with the old word": (
        {"net": "NetWithPort"},
        "NetWithPort declares no interface; its attribute port is now called interface",
    ),
    "a method without interface": (
        {"method": "MethodWithoutInterface"},
        "MethodWithoutInterface declares no interface; add a class attribute",
    ),
    "a method with the old word": (
        {"method": "MethodWithPort"},
        "MethodWithPort declares no interface; its attribute port is now called interface",
    ),
    "a net of another interface": (
        {"net": "StepNet"},
        "DirectForecast needs a net with interface FrameModel, but StepNet declares RecurrentModel",
    ),
    "a dataset without metainfo": (
        {"dataset": "WavesWithoutMetainfo"},
        "WavesWithoutMetainfo declares no metainfo; add a class attribute",
    ),
    "a net with more channels": (
        {"net": "TwoChannelNet"},
        "the prediction has shape (3, 2, 2, 6, 6), but its target has shape (3, 2, 1, 6, 6)",
    ),
    "a net with smaller frames": (
        {"net": "SmallNet"},
        "the prediction has shape (3, 2, 1, 3, 3), but its target has shape (3, 2, 1, 6, 6)",
    ),
    "a forecast of fewer frames": (
        {"method": "ShortForecast"},
        "ShortForecast.forecast returned 'forecast' of shape (3, 1, 1, 6, 6); a batch of 3 and a "
        "horizon of 2 need (3, 2, C, H, W)",
    ),
    "a forecast of wider frames": (
        {"method": "WideForecast"},
        "the forecast has shape (3, 2, 1, 6, 12), but its target has shape (3, 2, 1, 6, 6)",
    ),
    "a forecast under another name": (
        {"method": "Unnamed"},
        "Unnamed.forecast returned ['frames'] without 'forecast'",
    ),
    "no term to minimise": (
        {"method": "NoLoss"},
        "the terms ['mse'] include none to minimise; name at least one loss_<name>",
    ),
    "a term that is no scalar": (
        {"method": "LossPerSample"},
        "loss_frames has shape (3, 2, 1, 6, 6); a term must be a scalar",
    ),
    "a term that is not finite": ({"method": "NotFinite"}, "the loss is not finite"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_plugin_is_one_sentence(
    mistake: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The author of a plugin would have to read a traceback of mmengine."""
    parts, message = MISTAKES[mistake]
    method = parts.get("method", PARTS["method"])
    loss = ', loss=dict(type="L2")' if method == PARTS["method"] else ""
    path = tmp_path / "config.py"
    path.write_text(CONFIG.format(**{**PARTS, **parts}, loss=loss))
    assert run_tool("train", str(path), "--work-dir", str(tmp_path / "run")) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_the_plugins_train_without_their_mistake(tmp_path: Path) -> None:
    """Another error than the tested one could end the commands above."""
    path = tmp_path / "config.py"
    path.write_text(CONFIG.format(**PARTS, loss=', loss=dict(type="L2")'))
    assert run_tool("train", str(path), "--work-dir", str(tmp_path / "run")) == 0
