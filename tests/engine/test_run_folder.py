"""Index of the folder of a run, and the commands that use it."""

import re
from pathlib import Path

import pytest

from openstl_ext.config import load
from openstl_ext.engine import run_folder
from openstl_ext.engine.run_folder import command
from openstl_ext.engine.runner import build
from tests.engine import toy


def listed(folder: Path) -> list[str]:
    """Return the names of the index of a folder."""
    return re.findall(r"^\| `([^`]+)` \|", (folder / "README.md").read_text(), re.MULTILINE)


def patterns(folder: Path) -> list[str]:
    return [run_folder.Kind(name, "").pattern for name in listed(folder)]


def undescribed(folder: Path) -> set[str]:
    """Return the files that no line of the index describes."""
    found = {path for name in patterns(folder) for path in folder.glob(name)}
    inside = {path for top in found if top.is_dir() for path in top.rglob("*")}
    files = {path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}
    return {path.relative_to(folder).as_posix() for path in files - found - inside} - {"README.md"}


UNITS = {
    "epochs": {"train_cfg.max_epochs": 2},
    "iterations": {"train_cfg": {"_delete_": True, "max_iterations": 11, "val_interval": 4}},
}


@pytest.mark.parametrize("unit", UNITS)
def test_each_file_of_a_run_is_described_and_each_line_has_a_file(
    unit: str, tmp_path: Path
) -> None:
    """A user would look for a file that never comes, or wonder what one is."""
    runner = build(toy.config(tmp_path, custom_hooks=[{"type": "ResultHook"}], **UNITS[unit]))
    runner.train()
    promised = {name for name in patterns(tmp_path) if not list(tmp_path.glob(name))}
    assert promised == {"result.json", "metrics.npy", "tallies.npz"}
    assert not undescribed(tmp_path)
    runner.test()
    assert all(list(tmp_path.glob(name)) for name in patterns(tmp_path))
    assert not undescribed(tmp_path)


def test_the_index_is_there_before_the_first_iteration(tmp_path: Path) -> None:
    """A run that is killed would have no index."""
    hooks = [{"type": "PoisonHook", "at": 1}]
    with pytest.raises(Exception, match="not finite"):
        build(toy.config(tmp_path, custom_hooks=hooks)).train()
    assert "checkpoints/latest.pth" in listed(tmp_path)


def test_a_text_of_the_user_is_kept(tmp_path: Path) -> None:
    """Notes about a run would be lost at its next start."""
    (tmp_path / "README.md").write_text("my notes\n")
    build(toy.config(tmp_path, **UNITS["epochs"])).train()
    assert (tmp_path / "README.md").read_text() == "my notes\n"


def test_a_full_disk_does_not_end_a_run_for_its_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of training would end in an error because of a text."""

    def full(path: Path, data: bytes) -> None:
        if path.name == "README.md":
            raise OSError(f"{path}: no space")

    monkeypatch.setattr(run_folder, "atomic_write", full)
    build(toy.config(tmp_path, **UNITS["epochs"])).train()
    (log,) = tmp_path.rglob("*.log")
    assert "the index of the run was not written" in log.read_text()


def test_the_next_command_finds_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proposed command would test another run, or none."""
    monkeypatch.chdir(tmp_path)
    name = "boiling/simvp_gsta_small"
    assert command(load(name), "test") == f"openstl-ext test {name}"
    assert command(load(name, seed=3), "test") == f"openstl-ext test {name} --seed 3"
    assert command(load(name, work_dir="a run"), "test") == (
        f"openstl-ext test {name} --work-dir 'a run'"
    )
    (tmp_path / "mine.py").write_text(f"_base_ = ['{name}']\n")
    # of a file, or a recipe, the folder of the run has the config
    mine = load("mine.py")
    assert command(mine, "test") == f"openstl-ext test {mine.work_dir}"
