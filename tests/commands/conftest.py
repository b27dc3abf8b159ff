"""A recipe small enough to train in a test, and a way to call commands as users do."""

import multiprocessing
import os
import runpy
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

STARTED = multiprocessing.get_context("forkserver")
IMPORTED = ("datasets", "engine.runner", "hooks", "losses", "methods", "metrics", "models")
STARTED.set_forkserver_preload(
    ["tests.conftest", "torch._dynamo", *(f"openstl_ext.{part}" for part in IMPORTED)]
)
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
def call(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Call:
    """Return a function that calls a command, or a shell script of tools/, in that folder."""

    def run(name: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        environ = {"OMP_NUM_THREADS": "1", "PYTHON": sys.executable, **environ}
        if name.endswith(".sh"):
            return subprocess.run(
                ["bash", str(ROOT / "tools" / name), *arguments],
                cwd=place,
                env={**os.environ, **environ},
                capture_output=True,
                text=True,
                timeout=200,
            )
        printed = [tmp_path_factory.mktemp("printed") / stream for stream in ("out", "err")]
        process = STARTED.Process(
            target=command, args=([name, *arguments], place, environ, printed)
        )
        process.start()
        process.join(200)
        assert process.exitcode is not None, f"{name} {arguments} does not end"
        texts = [path.read_text() for path in printed]
        return subprocess.CompletedProcess([name, *arguments], process.exitcode, *texts)

    return run


def command(
    arguments: list[str], place: Path, environ: dict[str, str], printed: list[Path]
) -> None:
    """Run ``python -m openstl_ext`` in this process, which has imported torch already."""
    os.chdir(place)
    os.environ.update(environ)
    for descriptor, path in enumerate(printed, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    sys.argv[1:] = arguments
    runpy.run_module("openstl_ext", run_name="__main__", alter_sys=True)
