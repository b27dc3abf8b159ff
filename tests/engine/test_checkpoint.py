"""Checkpoint files and their manifest."""

import errno
import json
import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from openstl_ext import atomic_io as atomic
from openstl_ext.engine import checkpoint
from openstl_ext.engine.manifest import tidy
from openstl_ext.errors import CheckpointError, NonFiniteError


def save(folder: Path, iteration: int, *, keep: int = 2, value: float = 0.0) -> Path:
    state = {"state_dict": {"w": torch.full((50,), value + iteration)}, "meta": {"at": iteration}}
    place = {"file": f"iter_{iteration}.pth", "epoch": 1, "iteration": iteration}
    entry = checkpoint.Entry(kind="resume", **place)
    return checkpoint.save(state, folder, entry, keep=keep)


def test_the_newest_checkpoint_is_read_and_the_oldest_are_deleted(tmp_path: Path) -> None:
    """Disks would fill, or one damaged file would end a run."""
    for iteration in (10, 20, 30):
        save(tmp_path, iteration)
    assert [e.file for e in checkpoint.read_manifest(tmp_path)] == ["iter_30.pth", "iter_20.pth"]
    files = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert files == {"iter_30.pth", "iter_20.pth", "latest.pth", "manifest.json"}
    path, state = checkpoint.newest(tmp_path, pytest.fail)
    assert path.name == "iter_30.pth"
    assert torch.equal(state["state_dict"]["w"], torch.full((50,), 30.0))


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_a_damaged_newest_checkpoint_is_reported_and_skipped(damage: str, tmp_path: Path) -> None:
    """A bad sector would end a run, or be loaded as weights."""
    save(tmp_path, 10)
    path = save(tmp_path, 20)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(data if damage == "flip" else data[:100])
    warnings: list[str] = []
    found, state = checkpoint.newest(tmp_path, warnings.append)
    assert (found.name, state["meta"]["at"]) == ("iter_10.pth", 10)
    assert len(warnings) == 1
    assert "iter_20.pth" in warnings[0]


def test_a_kill_between_a_new_best_file_and_the_manifest_keeps_the_old_best_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one name for every best checkpoint, the file would not match the manifest."""

    def best(epoch: int) -> None:
        place = {"file": f"best_epoch_{epoch}.pth", "epoch": epoch, "iteration": epoch}
        state = {"state_dict": {"w": torch.full((50,), float(epoch))}, "meta": {}}
        checkpoint.save(state, tmp_path, checkpoint.Entry(kind="best", **place), keep=2)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    best(1)
    best(2)
    assert [e.file for e in checkpoint.read_manifest(tmp_path)] == ["best_epoch_2.pth"]
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_manifest", killed)
        with pytest.raises(KeyboardInterrupt):
            best(3)
    found = checkpoint.best(tmp_path)
    assert found.name == "best_epoch_2.pth"
    assert checkpoint.read(found)["state_dict"]["w"][0] == 2


def test_nothing_to_resume_is_an_error(tmp_path: Path) -> None:
    """A start from random weights would overwrite the run that the user wants to continue."""
    with pytest.raises(CheckpointError, match="nothing to resume"):
        checkpoint.newest(tmp_path, pytest.fail)
    with pytest.raises(CheckpointError, match="no best checkpoint"):
        checkpoint.best(tmp_path)
    save(tmp_path, 10).write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* is intact"):
        checkpoint.newest(tmp_path, lambda _: None)


def test_a_full_disk_is_an_error_with_the_needed_bytes_and_keeps_earlier_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run would have no checkpoint after space was freed."""
    save(tmp_path, 10)

    def full(self: Any, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(atomic.HashingFile, "write", full)
        with pytest.raises(CheckpointError, match=r"is full: .* --resume") as caught:
            save(tmp_path, 20)
    assert not list(tmp_path.rglob("*.part"))
    path, _ = checkpoint.newest(tmp_path, pytest.fail)
    assert path.name == "iter_10.pth"
    needed = re.search(r"iter_20.pth and its entry need ([\d,]+) bytes", str(caught.value))
    assert needed is not None
    save(tmp_path, 20)
    files = [path.with_name("iter_20.pth"), path.with_name("manifest.json")]
    blocks = sum(-(-file.stat().st_size // 4096) for file in files)
    assert int(needed[1].replace(",", "")) == 4096 * blocks


def test_another_error_of_the_disk_is_an_error_of_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user would see a traceback, and not whether anything is lost."""
    save(tmp_path, 10)

    def broken(*_: Any) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(CheckpointError, match=r"iter_20.pth was not saved: .* intact"):
            save(tmp_path, 20)
    assert checkpoint.newest(tmp_path, pytest.fail)[0].name == "iter_10.pth"


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    """They would replace the last usable checkpoint."""
    save(tmp_path, 10)
    with pytest.raises(NonFiniteError, match="was not saved: w; the last checkpoint is intact"):
        save(tmp_path, 20, value=float("nan"))
    assert [e.iteration for e in checkpoint.read_manifest(tmp_path)] == [10]


def test_partial_files_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    """Each kill would leave a file as large as a checkpoint."""
    path = save(tmp_path, 10)
    left = path.with_name("iter_20.pth.part")
    left.write_bytes(b"half")
    tidy(tmp_path)
    assert not left.exists()
    assert path.exists()


def test_a_pickle_that_runs_code_is_rejected(tmp_path: Path) -> None:
    """A downloaded checkpoint could run code of its author."""
    path, canary = tmp_path / "evil.pth", tmp_path / "canary"

    class Evil:
        def __reduce__(self) -> tuple:
            return Path.touch, (canary,)

    torch.save({"state_dict": Evil()}, path)
    with pytest.raises(CheckpointError, match=r"evil.pth cannot be read"):
        checkpoint.read(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CheckpointError, match=r"evil.pth cannot be read"):
        checkpoint.read(path)
    assert not canary.exists()


def test_the_manifest_has_no_absolute_path(tmp_path: Path) -> None:
    """A moved work directory would be resumed from its old place."""
    save(tmp_path / "here", 10)
    text = (tmp_path / "here" / "checkpoints" / "manifest.json").read_text()
    assert str(tmp_path) not in text
    assert json.loads(text)["checkpoints"][0]["file"] == "iter_10.pth"
    (tmp_path / "here").rename(tmp_path / "there")
    assert checkpoint.newest(tmp_path / "there", pytest.fail)[0].exists()


def test_checkpoints_after_the_place_of_a_resume_are_removed_from_the_manifest(
    tmp_path: Path,
) -> None:
    """New checkpoints would count as older ones and be deleted at once."""
    save(tmp_path, 10)
    save(tmp_path, 20)
    checkpoint.drop_after(tmp_path, 10)
    save(tmp_path, 15)
    assert [e.iteration for e in checkpoint.read_manifest(tmp_path)] == [15, 10]


def test_weights_that_do_not_fit_are_named_in_the_error() -> None:
    """The run would continue with random weights."""
    net = nn.Linear(2, 2)
    with pytest.raises(CheckpointError, match=r"Linear; missing: bias; unexpected: scale"):
        checkpoint.load_weights(net, {"weight": torch.zeros(2, 2), "scale": torch.zeros(2)})
    with pytest.raises(CheckpointError, match=r"wrong shape: weight: \(3, 2\) is not \(2, 2\)"):
        checkpoint.load_weights(net, {"weight": torch.zeros(3, 2), "bias": torch.zeros(2)})


def test_a_manifest_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Runs trained before an update could not be resumed."""
    best = {"file": "best_epoch_3.pth", "epoch": 3, "iteration": 24, "kind": "best"}
    best |= {"metric": "mse", "value": 1, "sha256": "0" * 64}
    text = json.dumps({"checkpoints": [best]}, indent=1)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "manifest.json").write_text(text)
    (entry,) = checkpoint.read_manifest(tmp_path)
    assert (entry.file, entry.value, entry.metric) == ("best_epoch_3.pth", 1.0, "mse")
