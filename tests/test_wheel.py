"""The installed wheel works in an empty folder, without a checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the sources, and install it into a folder."""
    source, built, target = (tmp_path_factory.mktemp(n) for n in ("source", "built", "target"))
    for name in ("openstl_ext", "configs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ("--no-deps", "--no-index")
    build = [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", built, source]
    subprocess.run(build, check=True)
    (wheel,) = built.glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", target, wheel], check=True)
    return target


def call(packages: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the installed package in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "openstl_ext", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(packages), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


def test_the_demo_runs_in_an_empty_folder(packages: Path, tmp_path: Path) -> None:
    """A user of the published package could not run its first command."""
    done = call(packages, tmp_path, "demo", "--num-samples", "30", "--max-epochs", "1")
    assert done.returncode == 0, done.stderr
    run = tmp_path / "work_dirs/boiling/simvp_gsta_small/seed_0"
    assert (run / "result.json").is_file()
    assert (run / "grid.png").read_bytes().startswith(b"\x89PNG")
    assert "SimVP-gSTA (small)" in (tmp_path / "work_dirs/leaderboard.md").read_text("utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "work_dirs"]


def test_a_recipe_is_found_by_name(packages: Path, tmp_path: Path) -> None:
    """Recipes would need a checkout of the project."""
    for name in ("taxibj/small/convlstm", "boiling/simvp_gsta"):
        done = call(packages, tmp_path, "train", name)
        assert done.returncode == 2
        assert "no dataset at" in done.stderr
        assert "openstl-ext data" in done.stderr


def test_published_results_are_in_the_wheel(packages: Path, tmp_path: Path) -> None:
    """The command would need a checkout of the project."""
    done = call(packages, tmp_path, "claims", "--dataset", "taxibj", "--flagged", "suspect")
    assert done.returncode == 0, done.stderr
    assert "DMVFN" in done.stdout


def test_every_config_is_in_the_wheel(packages: Path) -> None:
    """A config in a new folder could be missing from the published package."""
    installed = packages / "openstl_ext" / "configs"
    for path in (ROOT / "configs").rglob("*.py"):
        assert (installed / path.relative_to(ROOT / "configs")).is_file()
    script = (packages / "bin" / "openstl-ext").read_text("utf-8")
    assert "openstl_ext.cli import main" in script
