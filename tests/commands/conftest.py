"""A recipe small enough to train in a test, and a way to call commands as users do."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from openstl_ext.datasets.boiling.dataset import Boiling

ROOT = Path(__file__).parents[2]
LOADER = "dict(batch_size=3, dataset=dict(type='Boiling', root='data', split={split!r}))"
RECIPE = f"""
_base_ = [{str(ROOT / "configs/_base_/runtime.py")!r}]
model = dict(
    type="RecurrentForecast",
    net=dict(type="ConvLSTM", in_channels=1, hidden=(4,), kernel_size=3, patch_size=4),
    teacher_forcing=dict(type="FreeRunning"),
    loss=dict(type="L2"),
)
train_dataloader = {LOADER.format(split="train")}
val_dataloader = {LOADER.format(split="val")}
test_dataloader = {LOADER.format(split="test")}
val_evaluator = [dict(type="SummedMSE")]
test_evaluator = [dict(type="SummedMSE"), dict(type="MeanMAE")]
train_cfg = dict(max_epochs=2)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(optimizer=dict(type="Adam", lr=1e-2))
source = dict(name="ConvLSTM (toy)", claimed=dict())
"""

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with data and a config, in which the commands are called."""
    folder = tmp_path_factory.mktemp("a place")
    (folder / "data").mkdir()
    Boiling.make_toy(folder / "data")
    (folder / "configs").mkdir()
    (folder / "configs" / "toy.py").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def call(place: Path) -> Call:
    """Return a function that calls a command, or a shell script of tools/, in that folder."""

    def run(name: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        start = [sys.executable, "-m", "openstl_ext", name]
        if name.endswith(".sh"):
            start = ["bash", str(ROOT / "tools" / name)]
        return subprocess.run(
            [*start, *arguments],
            cwd=place,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHON": sys.executable, **environ},
            capture_output=True,
            text=True,
            timeout=200,
        )

    return run
