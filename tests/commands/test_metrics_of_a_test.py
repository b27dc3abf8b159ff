"""Comparison of metrics with scikit-image in a test, and the climatology of a config."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from openstl_ext import cli
from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.errors import ConfigError
from openstl_ext.hooks.metric_check import MetricCheckHook
from openstl_ext.metrics import base, decibel
from tests.commands.conftest import RECIPE
from tests.metrics.samples import drawn_samples


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write data and a recipe whose test has two metrics that scikit-image has too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    Boiling.make_toy(tmp_path / "data")
    metrics = '[dict(type="PSNR"), dict(type="SSIMOpenSTL")]'
    text = RECIPE.replace('[dict(type="SummedMSE"), dict(type="MeanMAE")]', metrics)
    (tmp_path / "toy.py").write_text(text.replace("max_epochs=2", "max_epochs=1"))
    return "toy.py"


@pytest.mark.slow
def test_metrics_are_compared_with_scikit_image(
    config: str, capfd: pytest.CaptureFixture[str]
) -> None:
    cli.call(["train", config])
    cli.call(["test", config, "--check-metrics", "2"])
    text = capfd.readouterr().out
    for name in ("psnr", "ssim_openstl"):
        line = next(line for line in text.splitlines() if f"check of {name}" in line)
        assert "number of samples 2" in line
        assert float(line.partition("at most ")[2].split()[0]) < 1e-3
    with pytest.raises(ConfigError, match="num_samples"):
        cli.call(["test", config, "--check-metrics", "0"])


def test_members_are_left_out_of_saved_predictions_only(config: str) -> None:
    """The option would do nothing without a word."""
    with pytest.raises(ConfigError, match="--no-members is an option of --save-predictions"):
        cli.call(["test", config, "--no-members"])


def hook_on(
    samples: list[Any], *types: str, num_samples: int = 2
) -> tuple[MetricCheckHook, list[str]]:
    """Return a hook after the test of some samples by some metrics, and its lines of the log."""
    lines: list[str] = []
    runner: Any = SimpleNamespace(
        cfg=SimpleNamespace(test_evaluator=[{"type": name} for name in types]),
        logger=SimpleNamespace(info=lines.append),
    )
    hook = MetricCheckHook(num_samples=num_samples)
    hook.before_test(runner)
    hook.before_test_epoch(runner)
    for one in samples:
        hook.after_test_iter(runner, 0, outputs=[one])
    hook.after_test_epoch(runner)
    return hook, lines


def test_the_check_needs_no_other_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The main process would wait for the others, which have nothing to check, for ever."""

    def waiting(_: object) -> None:
        raise AssertionError("gathers")

    monkeypatch.setattr(base, "all_gather_object", waiting)
    hook, lines = hook_on(drawn_samples(3), "PSNR", "MeanMSE", "SSIM")
    assert len(lines) == 2
    assert set(hook.differences) == {"psnr", "ssim"}
    assert all(0 <= value < 1e-3 for value in hook.differences.values())
    assert all("number of samples 2" in line for line in lines)


def test_a_score_that_only_one_of_both_has_is_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN on one side would be left out, and the check would find nothing."""
    without = lambda forecast, *_: torch.full((len(forecast),), math.nan, dtype=torch.float64)  # noqa: E731
    monkeypatch.setattr(decibel, "peak_ratio", without)
    hook, _ = hook_on(drawn_samples(2), "PSNR")
    assert hook.differences["psnr"] == math.inf


def test_nothing_to_check_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="no metric of the test is one of scikit-image"):
        hook_on(drawn_samples(1), "MeanMSE", "SSIMSimVPMinimal")


def test_a_climatology_is_the_mean_of_the_training_targets(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of sequences that are drawn when they are read is the same each time."""

    def drawn(*_: object) -> dict[str, Any]:
        return {"inputs": {}, "data_samples": {"frames": torch.rand(2, 1, 4, 4)}}

    cli.call(["data", "climatology", config, "--out", "mean.npy"])
    cli.call(["data", "climatology", config, "--out", "leads.npy", "--by-lead"])
    dataset = Boiling(root="data", split="train")
    targets = np.stack([dataset[k]["data_samples"]["frames"].numpy() for k in range(len(dataset))])
    np.testing.assert_allclose(np.load("leads.npy"), targets.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(np.load("mean.npy"), targets.mean(axis=(0, 1)), rtol=1e-5)
    monkeypatch.setattr(Boiling, "__getitem__", drawn)
    for name in ("one.npy", "two.npy"):
        torch.manual_seed(len(list(tmp_path.iterdir())))
        cli.call(["data", "climatology", config, "--out", name])
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "two.npy").read_bytes()
    with pytest.raises(ConfigError, match=r"\.npy"):
        cli.call(["data", "climatology", config, "--out", "mean.tif"])
