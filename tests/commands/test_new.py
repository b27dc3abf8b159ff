"""Generated plugins work as they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.commands.new import names_of
from openstl_ext.errors import UserError
from openstl_ext.results.record import Record

NAMES = {"model": "TideNet", "dataset": "tide_gauges", "metric": "PeakError", "method": "NearFirst"}
MODULES = ("tide_net", "tide_gauges", "peak_error", "near_first")
TRAIN = """
import sys
from openstl_ext import cli
for config in sys.argv[1:]:
    options = ("train_cfg.max_epochs=1", "train_dataloader.batch_size=64")
    cli.call(["train", config, "--test", "--cfg-options", *options])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write one plugin of each kind into a folder that has data."""
    folder = tmp_path_factory.mktemp("lab")
    size = ("--num_samples", "8", "--num_frames", "20", "--image_size", "32")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for kind, name in NAMES.items():
            cli.call(["new", kind, name])
        cli.call(["data", "boiling", "--data_path", "data/boiling_small", *size])
        cli.call(["data", "split", "--data_path", "data/boiling_small"])
    return folder


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, as a user does."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_the_generated_tests_pass(folder: Path) -> None:
    """A new user would begin with a failing test."""
    done = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", ".")
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


@pytest.mark.slow
def test_the_generated_configs_train_one_iteration_and_are_tested(folder: Path) -> None:
    """A new user would begin with a config that does not run."""
    assert python(folder, "tide_gauges.py").returncode == 0
    done = python(folder, "-c", TRAIN, *(f"{module}_config.py" for module in MODULES))
    assert done.returncode == 0, done.stderr
    for module in MODULES:
        (path,) = folder.glob(f"work_dirs/*/{module}_config/seed_0/result.json")
        assert ("peak_error" in Record.read(path).metrics) == (module == "peak_error")


def test_nothing_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call would delete what the user has written."""
    monkeypatch.chdir(folder)
    before = (folder / "tide_net.py").read_text()
    for name in ("TideNet", "tide_net"):
        with pytest.raises(UserError, match=r"tide_net\.py exists"):
            cli.call(["new", "model", name])
    assert (folder / "tide_net.py").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("modle", "TideNet"), "did you mean 'model'"),
        (("model", "2nd"), "no name of a class"),
        (("model", "tide-net"), "no name of a class"),
        (("model", "SimVP"), "registered already"),
    ],
)
def test_a_mistake_writes_nothing(
    arguments: tuple[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files would be written that cannot be imported or registered."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        cli.call(["new", *arguments])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TideNet", ("TideNet", "tide_net")),
        ("tide_net", ("TideNet", "tide_net")),
        ("UNet3D", ("UNet3D", "u_net3_d")),
        ("MAE", ("MAE", "mae")),
    ],
)
def test_class_and_module_follow_from_the_name(name: str, expected: tuple[str, str]) -> None:
    """A module could not be imported under the printed name."""
    assert names_of(name) == expected
