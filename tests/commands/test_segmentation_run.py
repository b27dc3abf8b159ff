"""A segmentation from training to its map and its row in the table."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from openstl_ext.config import load
from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import build

from .conftest import ROOT, Call

DATA = "dict(type='LTSSegmentation', root='sites', patch_size=16, split={split!r}{more})"
RECIPE = f"""
_base_ = [
    {str(ROOT / "configs/_base_/schedules/adamw_plateau.py")!r},
    {str(ROOT / "configs/_base_/runtime.py")!r},
]
model = dict(
    type="Segmentation",
    net=dict(type="STMamba", in_channels=4, widths=(4, 8), patch_size=16, state_size=4),
    loss=dict(type="BCEDice"),
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="sites/statistics.json",
        channels=dict(frames=["blue", "green", "red", "nir"]),
    ),
)
train_dataloader = dict(batch_size=8, dataset={DATA.format(split="train", more=", augment=True")})
val_dataloader = dict(batch_size=8, dataset={DATA.format(split="val", more="")})
test_dataloader = dict(batch_size=8, dataset={DATA.format(split="test", more="")})
val_evaluator = [dict(type="Dice", classes=["background", "site"])]
test_evaluator = [
    dict(type="Dice", classes=["background", "site"]),
    dict(type="IoU", classes=["background", "site"]),
]
train_cfg = dict(max_epochs=1)
default_hooks = dict(checkpoint=dict(save_best="dice[site]"))
source = dict(name="ST-Mamba (toy)", claimed=dict())
"""


@pytest.fixture(scope="module")
def run(place: Path) -> Path:
    """The work directory of a recipe that was trained for an epoch, tested and saved."""
    LTSSegmentation.make_toy(place / "sites")
    (place / "configs/sites.py").write_text(RECIPE)
    cfg = load(place / "configs/sites.py", work_dir=place / "run")
    cfg.custom_hooks = [*cfg.custom_hooks, {"type": "PredictionsHook"}]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)  # where the tools are called
        runner = build(cfg)
        runner.train()
        runner.test()
    return place / "run"


def test_a_run_of_segmentation_leaves_scores_and_maps(run: Path) -> None:
    """A trained segmentation would have no scores."""
    record = json.loads((run / "result.json").read_text())
    assert {"dice[site]", "iou[site]", "dice[background]"} <= set(record["metrics"])
    samples = sorted(path.name for path in (run / "saved/probs").iterdir())
    assert samples == sorted(path.name for path in (run / "saved/preds").iterdir())
    saved = json.loads((run / "saved/metrics.json").read_text())
    assert saved["dice[site]"] == record["metrics"]["dice[site]"]


@pytest.mark.slow
def test_its_figure_is_drawn_from_the_saved_maps(run: Path, call: Call) -> None:
    """Only forecasts could be drawn."""
    sample = min(path.name for path in (run / "saved/preds").iterdir())
    arguments = (str(run), sample, "--out", "sites.png", "--rgb", "nir", "red", "green")
    done = call("visualize", *arguments)
    assert done.returncode == 0, done.stderr
    assert (run.parent / "sites.png").read_bytes().startswith(b"\x89PNG")
    done = call("visualize", str(run), sample, "--rgb", "nir", "rod", "green")
    assert done.returncode == 2
    assert "did you mean 'red'" in done.stderr


@pytest.mark.slow
def test_its_checkpoint_maps_the_complete_area(run: Path, call: Call) -> None:
    """A trained model could be applied to patches only."""
    best = str(checkpoint.best(run))
    command = ("predict", "configs/sites.py", best, "--input", "sites", "--out", "sites.tif")
    done = call(*command)
    assert done.returncode == 0, done.stderr
    stack = np.load(run.parent / "sites/landsat_stack.npy", mmap_mode="r")
    with rasterio.open(run.parent / "sites.tif") as found:
        assert found.shape == stack.shape[-2:]
        assert found.crs == "EPSG:32633"
        assert set(np.unique(found.read(1))) <= {0, 1, found.nodata}


def test_an_area_of_other_bands_than_the_training_is_refused(run: Path, call: Call) -> None:
    """Bands of another order or unit would be mapped without a message."""
    series = Path(shutil.copytree(run.parent / "sites", run.parent / "swapped"))
    facts = json.loads((series / "stack.json").read_text())
    best = str(checkpoint.best(run))
    command = ("predict", "configs/sites.py", best, "--input", "swapped", "--out", "swapped.tif")
    for change in ({"bands": facts["bands"][::-1]}, {"unit": "percent"}):
        (series / "stack.json").write_text(json.dumps({**facts, **change}))
        done = call(*command)
        assert done.returncode == 2
        assert "the weights were trained on blue (" in done.stderr
        assert not (run.parent / "swapped.tif").exists()


def test_its_row_is_in_the_table(run: Path, call: Call) -> None:
    """A segmentation could not be compared with another."""
    done = call("leaderboard", str(run), "--metrics", "dice[background]", "iou")
    assert done.returncode == 0, done.stderr
    assert "ST-Mamba (toy)" in done.stdout
    record = json.loads((run / "result.json").read_text())
    assert f"{record['metrics']['dice[background]']:.4f}" in done.stdout
