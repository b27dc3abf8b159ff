"""A method with a loss only: trained by the ordinary commands, from a config with one loader."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext.config import load
from openstl_ext.engine.runner import build
from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import EncoderModel, provides
from tests.command_line import run_tool
from tests.engine.toy_pretraining import TinyAutoencoder, TinyMasking, UnlabelledWaves
from tests.methods import test_contract as contract
from tests.small_recipe import shrink

ROOT = Path(__file__).parents[1]
CONFIG = f"""
_base_ = ["{ROOT}/configs/_base_/runtime.py"]
custom_imports = dict(imports=["tests.engine.toy_pretraining"])
model = dict(type="TinyMasking", net=dict(type="TinyAutoencoder", frames=4, channels=1))
waves = dict(type="UnlabelledWaves", root="data")
train_dataloader = dict(batch_size=2, dataset=dict(**waves, split="train"))
train_cfg = dict(max_epochs=2)
optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-2))
"""
UNSEEN = {"type": "UnlabelledWaves", "root": "data", "split": "val"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a config and its data."""
    (tmp_path / "data").mkdir()
    UnlabelledWaves.make_toy(tmp_path / "data")
    (tmp_path / "pretraining.py").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_pretraining_method_trains(home: Path) -> None:
    """Pre-training would need a test set that it never reads."""
    assert run_tool("train", "pretraining.py", "--work-dir", "run") == 0
    manifest = json.loads((home / "run/checkpoints/manifest.json").read_text())
    assert [entry["kind"] for entry in manifest["checkpoints"]] == ["resume", "resume"]
    assert run_tool("train", "pretraining.py", "--work-dir", "run", "--resume") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["test", "pretraining.py"], "pretraining has no test_dataloader, so there is nothing to"),
        (["train", "pretraining.py", "--test"], "has no test_dataloader, so there is nothing to"),
        (["profile", "pretraining.py"], "TinyMasking has a loss only and predicts nothing"),
        (
            ["predict", "pretraining.py", "weights.pth", "--input", "data", "--out", "out"],
            "TinyMasking has a loss only and predicts nothing",
        ),
    ],
    ids=["test", "train --test", "profile", "predict"],
)
def test_what_needs_a_prediction_ends_with_one_sentence(
    home: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """A traceback would be printed, for train --test after the training."""
    weights = TinyMasking(net=TinyAutoencoder(frames=4, channels=1)).state_dict()
    torch.save({"state_dict": weights}, home / "weights.pth")
    assert run_tool(*arguments) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_an_evaluation_of_a_pretraining_method_is_an_error_at_build(home: Path) -> None:
    """The run would end after the first epoch."""
    cfg = load(home / "pretraining.py", work_dir=home / "run")
    cfg.val_dataloader = {**cfg.train_dataloader, "dataset": UNSEEN}
    cfg.val_evaluator = [{"type": "MeanMSE"}]
    with pytest.raises(ConfigError, match="TinyMasking has a loss only, so it cannot be evaluated"):
        build(cfg)


def test_the_config_tests_accept_a_config_with_one_loader(home: Path) -> None:
    """A recipe for pre-training could not be published."""
    runner = build(shrink(load(home / "pretraining.py", work_dir=home / "run")))
    batch = next(iter(runner.train_dataloader))
    assert runner.model.train_step(batch, runner.optim_wrapper)["loss"].isfinite()


@pytest.mark.parametrize("law", ["a_method_learns_one_batch", "every_parameter_has_a_gradient"])
def test_the_contract_tests_accept_a_pretraining_method(law: str) -> None:
    """A pre-training method in the package would have no contract tests."""
    check: Any = getattr(contract, f"test_{law}")
    check(TinyMasking, TinyAutoencoder)


def test_the_encoder_of_an_autoencoder_is_a_net() -> None:
    """Features could not be evaluated after the pre-training."""
    net = TinyAutoencoder(**TinyAutoencoder.toy_arguments())
    assert provides(net.encoder, EncoderModel)
    assert net.encoder(TinyMasking.toy_batch(2)["inputs"]["frames"]).shape == (2, 16)
