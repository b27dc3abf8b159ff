"""Training on pairs of sensors by the ordinary command."""

import json
from pathlib import Path

import pytest

from tests.command_line import run_tool
from tests.small_recipe import SIZES, toy_set

ROOT = Path(__file__).parents[3]
CONFIG = """
_base_ = ["{base}/configs/_base_/runtime.py"]
custom_imports = dict(imports=["tests.engine.toy_pretraining"])
model = dict(type="TinyMasking", net=dict(type="TinyAutoencoder", frames=2, channels=12))
pairs = dict(type="SensorPairs", root="{root}", image_size=16, pairs={pairs})
train_dataloader = dict(batch_size=2, dataset=dict(**pairs, split="train", augment=True))
train_cfg = dict(max_epochs=1)
optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-2))
"""


@pytest.mark.slow
def test_an_epoch_has_the_batches_of_every_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recipes for pre-training could not run."""
    pytest.importorskip("rasterio")
    monkeypatch.chdir(tmp_path)
    pairs = list(SIZES["SensorPairs"]["pairs"])
    text = CONFIG.format(base=ROOT, root=toy_set("SensorPairs"), pairs=pairs)
    (tmp_path / "pairs.py").write_text(text)
    assert run_tool("train", "pairs.py", "--work-dir", "run") == 0
    manifest = json.loads((tmp_path / "run/checkpoints/manifest.json").read_text())
    assert manifest["checkpoints"][-1]["iteration"] == 3 + 3  # 5 pairs of each set, by two
