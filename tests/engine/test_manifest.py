"""The list of checkpoints: its checksum, what it may name, and its reconstruction."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext.engine import best_checkpoint, checkpoint, manifest
from openstl_ext.errors import CheckpointError


def save(folder: Path, epoch: int, value: float | None = None, keep: int = 2) -> Path:
    """Save a resumable checkpoint, or with a value the best one."""
    state = {
        "meta": {"epoch": epoch - 1, "iteration": 10 * epoch, "plan": {"seed": 1}},
        "state_dict": {"w": torch.full((50,), float(epoch))},
        "optimizer": {"state": {}, "param_groups": []},
    }
    place = {"epoch": epoch, "iteration": 10 * epoch}
    if value is None:
        entry = checkpoint.Entry(file=f"epoch_{epoch}.pth", kind="resume", **place)
    else:
        score = {"metric": "mse", "value": value, "rule": "less"}
        entry = checkpoint.Entry(file=f"best_epoch_{epoch}.pth", kind="best", **place, **score)
    return checkpoint.save(state, folder, entry, keep=keep)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the checkpoint folder of a run of three epochs whose second is the best."""
    save(tmp_path, 1)
    save(tmp_path, 2)
    save(tmp_path, 2, value=0.25)
    save(tmp_path, 3)
    return tmp_path / "checkpoints"


def damage(path: Path, change: str) -> None:
    text = path.read_text()
    match change:
        case "lost":
            path.unlink()
        case "empty":
            path.write_text("")
        case "cut":
            path.write_text(text[: len(text) // 2])
        case "flip of a value":
            path.write_text(text.replace("0.25", "0.35"))
        case "flip of a name":
            path.write_text(text.replace("epoch_3.pth", "epoch_7.pth"))
        case "no checksum":
            path.write_text(text.replace('"sha256": "', '"sha257": "'))
        case "a list":
            path.write_text("[]")
        case "not text":
            path.write_bytes(b"\x80\x00" + text.encode())


CHANGES = (
    *("lost", "empty", "cut", "flip of a value", "flip of a name", "no checksum", "a list"),
    "not text",
)


@pytest.mark.parametrize("change", CHANGES)
def test_a_lost_or_damaged_manifest_is_rebuilt_from_the_files(
    change: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All checkpoints would be whole, and none could be used."""
    before = manifest.load_manifest(folder)
    damage(folder / "manifest.json", change)
    with caplog.at_level(logging.WARNING, logger="openstl_ext"):
        assert manifest.load_manifest(folder) == manifest.Manifest(before.checkpoints)
    (record,) = caplog.records
    assert "rebuilt from the 3 intact checkpoints" in record.message
    assert [e.value for e in manifest.read_manifest(folder) if e.kind == "best"] == [0.25]
    manifest.tidy(folder)
    assert manifest.load_manifest(folder) == before
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "entry",
    [
        {"file": "../../victim.txt"},
        {"file": "/tmp/victim.txt"},
        {"file": "victim.txt"},
        {"file": "epoch_1.pth/../victim.txt"},
        {"file": "epoch_1.pth\n"},
        {"iteration": -1},
        {"kind": "other"},
        {"sha256": "0"},
        {"value": "low"},
        {"size": -1},
        {"extra": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("version", ["with a checksum", "of an earlier version"])
def test_an_entry_that_was_not_written_by_a_run_is_ignored_and_its_file_kept(
    entry: dict[str, Any], version: str, folder: Path
) -> None:
    """A file outside of the run would be deleted or read."""
    victim = folder.parent / "victim.txt"
    for place in (victim, folder / "victim.txt", folder.parent.parent / "victim.txt"):
        place.write_text("of the user")
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    foreign = {"file": "epoch_1.pth", "sha256": "0" * 64, "epoch": 1, "iteration": 1}
    content["checkpoints"].append({**foreign, "kind": "resume", **entry})
    if version == "of an earlier version":
        del content["sha256"]
    path.write_text(json.dumps(content))
    assert len(manifest.read_manifest(folder)) == 3
    save(folder.parent, 4, keep=1)
    save(folder.parent, 5, keep=1)
    assert [e.file for e in manifest.read_manifest(folder)] == ["epoch_5.pth", "best_epoch_2.pth"]
    for place in (victim, folder / "victim.txt", folder.parent.parent / "victim.txt"):
        assert place.read_text() == "of the user"


def test_a_damaged_checkpoint_is_passed_over_when_the_manifest_is_rebuilt(folder: Path) -> None:
    """It would be listed with the checksum of its damaged bytes."""
    path = folder / "epoch_3.pth"
    data = bytearray(path.read_bytes())
    data[data.index(torch.full((50,), 3.0).numpy().tobytes())] ^= 1
    path.write_bytes(data)
    (folder / "manifest.json").unlink()
    assert [e.file for e in manifest.read_manifest(folder)] == ["epoch_2.pth", "best_epoch_2.pth"]


def test_a_manifest_of_an_earlier_version_is_rebuilt_from_files_of_that_version(
    tmp_path: Path,
) -> None:
    """Runs of an earlier version could not be continued after the loss of the manifest."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    meta = {"epoch": 2, "iteration": 24, "plan": {}}
    weights = {"meta": meta, "state_dict": {"w": torch.ones(1)}}
    torch.save(weights, folder / "best_epoch_3.pth")
    torch.save({**weights, "optimizer": {}}, folder / "epoch_3.pth")
    entries = manifest.read_manifest(tmp_path)
    assert {(e.file, e.kind, e.epoch, e.iteration) for e in entries} == {
        ("epoch_3.pth", "resume", 3, 24),
        ("best_epoch_3.pth", "best", 3, 24),
    }


def test_leftovers_of_killed_saves_are_removed_and_files_of_users_are_kept(folder: Path) -> None:
    """Each kill would leave a file as large as a checkpoint; or a file of the user would go."""
    left = ("epoch_1.pth", "iter_35.pth", "best_epoch_1.pth")
    kept = ("epoch_9.pth", "mine.pth", "epoch_1.pth.bak", "best.pth", "epoch_x.pth", "notes.part")
    partial = ("epoch_4.pth.part", "manifest.json.part", ".0a1b2c3d-0.part")
    for name in (*left, *kept, *partial):
        (folder / name).write_bytes(b"x")
    manifest.tidy(folder)
    assert not any((folder / name).exists() for name in partial)
    save(folder.parent, 4)
    assert not any((folder / name).exists() for name in left)
    assert all((folder / name).exists() for name in kept)


def test_a_folder_with_checkpoints_holds_a_run_without_a_manifest_too(folder: Path) -> None:
    """A new run would overwrite the checkpoints."""
    assert manifest.holds_run(folder.parent)
    (folder / "manifest.json").unlink()
    assert manifest.holds_run(folder.parent)
    for path in folder.iterdir():
        path.write_bytes(b"")
    assert manifest.holds_run(folder.parent)
    with pytest.raises(CheckpointError, match="is intact; start again with another --work-dir"):
        checkpoint.newest(folder, lambda _: None)
    for path in folder.iterdir():
        path.unlink()
    assert not manifest.holds_run(folder.parent)
    assert not manifest.holds_run(folder / "no folder")


def test_a_damaged_best_checkpoint_is_restored_from_the_state_of_its_iteration(
    folder: Path,
) -> None:
    """The table would show another checkpoint, or the run could not be tested."""
    path, warned = folder / "best_epoch_2.pth", []
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"best_epoch_2.pth is damaged.*--resume"):
        checkpoint.read(checkpoint.best(folder))
    best_checkpoint.repair_best(folder, warned.append)
    assert "restored from epoch_2.pth" in warned[0]
    restored = checkpoint.read(checkpoint.best(folder))
    assert restored["state_dict"]["w"][0] == 2
    assert "optimizer" not in restored
    entry = manifest.load_manifest(folder).best
    assert entry is not None
    assert (entry.value, entry.metric, entry.iteration) == (0.25, "mse", 20)


def test_a_damaged_best_checkpoint_that_cannot_be_restored_is_reported(folder: Path) -> None:
    """A table would show the score of a checkpoint that no validation preferred."""
    warned: list[str] = []
    (folder / "best_epoch_2.pth").write_bytes(b"")
    (folder / "epoch_2.pth").write_bytes(b"")
    best_checkpoint.repair_best(folder, warned.append)
    assert "best_epoch_2.pth (mse 0.25) is damaged and cannot be restored" in warned[0]
    assert checkpoint.has_best(folder)
    with pytest.raises(CheckpointError, match=r"best_epoch_2.pth \(mse 0.25\) is lost"):
        checkpoint.best(folder)
    save(folder.parent, 4, value=0.5)  # the best of those that are left
    message = checkpoint.selection_warning(checkpoint.best(folder))
    assert "best_epoch_4.pth (mse 0.5) is the best checkpoint that is left" in message
    save(folder.parent, 5, value=0.2)  # better than the lost one
    assert checkpoint.selection_warning(checkpoint.best(folder)) == ""


def test_a_best_checkpoint_that_is_gone_is_not_replaced_by_another(folder: Path) -> None:
    """A test would use the newest checkpoint without a word."""
    (folder / "best_epoch_2.pth").unlink()
    with pytest.raises(CheckpointError, match=r"best_epoch_2.pth \(mse 0.25\) is lost"):
        checkpoint.best(folder)


def test_all_checkpoints_can_be_kept(tmp_path: Path) -> None:
    """A user who wants the weights of all epochs would lose the early ones."""
    for epoch in range(1, 5):
        save(tmp_path, epoch, keep=checkpoint.KEEP_ALL)
    assert len(manifest.read_manifest(tmp_path)) == 4


def test_a_resumed_run_takes_the_best_checkpoint_along(folder: Path, tmp_path: Path) -> None:
    """A worse checkpoint would become the best of the run."""
    state = checkpoint.read(folder / "epoch_3.pth")
    assert state["meta"]["best"]["value"] == 0.25
    other, warned = tmp_path / "other", []
    best_checkpoint.adopt_best(folder / "epoch_3.pth", other, state["meta"], warned.append)
    assert checkpoint.read(checkpoint.best(other))["state_dict"]["w"][0] == 2
    assert warned == []
    (folder / "best_epoch_2.pth").unlink()
    best_checkpoint.adopt_best(
        folder / "epoch_3.pth", tmp_path / "new", state["meta"], warned.append
    )
    assert "is not beside" in warned[0]


def test_a_run_is_not_continued_in_the_folder_of_another(folder: Path, tmp_path: Path) -> None:
    """The manifest would list the checkpoints of two runs."""
    copied = tmp_path / "copied.pth"
    copied.write_bytes((folder / "epoch_3.pth").read_bytes())
    checkpoint.check_same_run(copied, folder.parent, {"plan": {"seed": 1}})
    with pytest.raises(CheckpointError, match="already contains another run"):
        checkpoint.check_same_run(copied, folder.parent, {"plan": {"seed": 2}})


def test_latest_is_the_newest_checkpoint_under_another_name(folder: Path) -> None:
    """A script of simvp_minimal's users would find no latest.pth, or an old one."""
    latest = folder / "latest.pth"
    assert latest.samefile(folder / "epoch_3.pth")
    assert float(torch.load(latest, weights_only=True)["state_dict"]["w"][0]) == 3
    save(folder.parent, 4)
    assert latest.samefile(folder / "epoch_4.pth")
    assert manifest.read_manifest(folder)[0].file == "epoch_4.pth"
    for name in ("latest.pth", "latest"):
        assert manifest.resolved(folder / name) == folder / "epoch_4.pth"
    assert manifest.resolved(folder / "epoch_3.pth") == folder / "epoch_3.pth"


def test_latest_follows_a_return_to_an_earlier_checkpoint(folder: Path) -> None:
    """The name would lead to a state that the run has left."""
    checkpoint.drop_after(folder, 20)
    assert (folder / "latest.pth").samefile(folder / "epoch_2.pth")


def test_without_hard_links_latest_is_found_by_the_manifest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On FAT the save would fail, or the name would lead to an old checkpoint."""

    def refuse(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(manifest.os, "link", refuse)
    save(folder.parent, 4)
    assert not (folder / "latest.pth").exists()
    state = checkpoint.read(folder / "latest.pth")
    assert float(state["state_dict"]["w"][0]) == 4


def test_the_rest_of_a_killed_link_is_removed(folder: Path) -> None:
    """A folder would keep a name that nobody knows."""
    (folder / "latest.pth").rename(folder / "latest.pth.part")
    manifest.tidy(folder)
    assert not (folder / "latest.pth.part").exists()
    save(folder.parent, 4)
    assert (folder / "latest.pth").samefile(folder / "epoch_4.pth")
