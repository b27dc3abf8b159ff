"""A checkpoint of an earlier version."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from openstl_ext.config import load
from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import build
from openstl_ext.errors import CheckpointError

STORED = Path(__file__).parent / "stored_run"


def test_the_best_checkpoint_of_an_earlier_version_gives_the_same_forecast(tmp_path: Path) -> None:
    """Models that users trained before an update could not be tested any more."""
    Boiling.make_toy(tmp_path)
    cfg = load(STORED / "config.py", work_dir=tmp_path / "work")
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.root = str(tmp_path)
    cfg.load_from = str(checkpoint.best(STORED))
    runner = build(cfg, train=False)
    runner.load_or_resume()  # the normalisation comes from the checkpoint, its file does not exist

    with np.load(STORED / "forecast.npz") as arrays:
        frames, expected = (torch.from_numpy(arrays[name]) for name in ("frames", "forecast"))
    method = runner.model.eval()
    with torch.inference_mode():
        inputs = method.data_preprocessor({"inputs": {"frames": frames}})["inputs"]
        forecast = method.answer(inputs, horizon=expected.shape[1])["forecast"]
    torch.testing.assert_close(forecast, expected, rtol=0, atol=1e-5)


def test_the_manifest_of_an_earlier_version_protects_its_checkpoint(tmp_path: Path) -> None:
    """Damaged weights of an earlier run would be loaded without an error."""
    shutil.copytree(STORED / "checkpoints", tmp_path / "checkpoints")
    path = checkpoint.best(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        checkpoint.read(path)
