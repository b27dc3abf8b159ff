"""Comparison of metrics with scikit-image in a test, and the climatology of a config."""

from pathlib import Path

import numpy as np
import pytest

from openstl_ext import cli
from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.errors import ConfigError
from tests.commands.conftest import RECIPE


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
        assert "of 2 samples" in line
        assert float(line.partition("at most ")[2].split()[0]) < 1e-3
    with pytest.raises(ConfigError, match="num_samples"):
        cli.call(["test", config, "--check-metrics", "0"])


def test_a_climatology_is_the_mean_of_the_training_targets(config: str, tmp_path: Path) -> None:
    cli.call(["data", "climatology", config, "--out", "mean.npy"])
    cli.call(["data", "climatology", config, "--out", "leads.npy", "--by-lead"])
    dataset = Boiling(root="data", split="train")
    targets = np.stack([dataset[k]["data_samples"]["frames"].numpy() for k in range(len(dataset))])
    np.testing.assert_allclose(np.load("leads.npy"), targets.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(np.load("mean.npy"), targets.mean(axis=(0, 1)), rtol=1e-5)
    with pytest.raises(ConfigError, match=r"\.npy"):
        cli.call(["data", "climatology", config, "--out", "mean.tif"])
