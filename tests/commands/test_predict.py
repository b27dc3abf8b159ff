"""The command predict."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from mmengine.config import Config

from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.engine import checkpoint
from openstl_ext.registry import METHODS

from .conftest import RECIPE, Call

LTS = """
model = dict(
    type="Segmentation",
    net=dict(type="ConvLSTMUNet", in_channels=4, widths=(4, 8)),
    loss=dict(type="BCEDice"),
)
test_dataloader = dict(
    dataset=dict(type="LTSSegmentation", root="gone", split="test", patch_size=32)
)
"""
CONFIG = "configs/toy.py"


@pytest.fixture(scope="module")
def trained(call: Call, place: Path) -> str:
    """A checkpoint of a forecasting recipe, whose data are removed afterwards."""
    done = call("train", CONFIG, "--work-dir", "run")
    assert done.returncode == 0, done.stderr
    (place / "data").rename(place / "elsewhere")
    return str(checkpoint.best(place / "run"))


def test_frames_are_forecast_without_targets(call: Call, place: Path, trained: str) -> None:
    """A trained model could forecast only where the future is known."""
    dataset = Boiling(root=str(place / "elsewhere"), split="test")
    past = torch.stack([dataset[i]["inputs"]["frames"] for i in range(len(dataset))])
    np.save(place / "frames.npy", past.numpy())
    done = call("predict", CONFIG, trained, "--input", "frames.npy", "--out", "new/next.npy")
    assert done.returncode == 0, done.stderr
    assert "new/next.npy" in done.stdout
    (place / "again.py").write_text(RECIPE)
    method = METHODS.build(Config.fromfile(place / "again.py").model).eval()
    checkpoint.load_weights(method, checkpoint.read(trained)["state_dict"])
    with torch.inference_mode():
        batch = method.data_preprocessor({"inputs": {"frames": past}})
        expected = method.answer(batch["inputs"], 10)["forecast"].numpy()
    np.testing.assert_allclose(np.load(place / "new" / "next.npy"), expected, atol=1e-5)


def test_a_stack_without_labels_becomes_a_map(call: Call, place: Path) -> None:
    """A model that was trained on patches could not map an area."""
    (place / "lts").mkdir()
    LTSSegmentation.make_toy(place / "lts")
    (place / "lts" / "label.npy").unlink()
    (place / "configs" / "lts.py").write_text(LTS)
    method = METHODS.build(Config.fromfile(place / "configs" / "lts.py").model)
    torch.save(method.state_dict(), place / "weights.pth")
    command = ("predict", "configs/lts.py", "weights.pth", "--input", "lts", "--out", "map.tif")
    done = call(*command, "--probability", "p.tif", "--amp")
    assert done.returncode == 0, done.stderr
    assert "of 32 pixels" in done.stdout  # the patches of the config
    with rasterio.open(place / "map.tif") as labels, rasterio.open(place / "p.tif") as chance:
        assert labels.crs == chance.crs == "EPSG:32633"
        assert (labels.nodata, chance.count) == (255, 2)


def test_a_mistake_is_reported_in_one_message(call: Call, place: Path) -> None:
    """A wrong path would print forty lines of traceback."""
    done = call("predict", CONFIG, "none.pth", "--input", "configs", "--out", "o.npy")
    assert done.returncode == 2
    assert "no checkpoint at none.pth" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place / "o.npy").exists()
