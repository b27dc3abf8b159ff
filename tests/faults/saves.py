"""Kills, full and broken disks during a save; damage of checkpoints and of their manifest."""

import errno
import math
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

from openstl_ext.engine import best_checkpoint, checkpoint
from openstl_ext.engine.manifest import (
    Entry,
    checkpoint_files,
    holds_run,
    load_manifest,
    tidy,
)
from openstl_ext.errors import CheckpointError, NonFiniteError
from tests.faults.file_events import FileEvents, Killed, watching
from tests.faults.row import Row

ERRORS = {"full disk": errno.ENOSPC, "quota": errno.EDQUOT, "broken disk": errno.EIO}
BEST = {1: 0.5, 2: 0.25, 3: 0.2}
"""Score of each epoch."""


MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Folder in memory: each save flushes four times, which a busy disk makes slow."""


class Outcome(NamedTuple):
    """What came of one fault; see ``Row``."""

    name: str
    detected: bool
    recovered: bool
    lost: bool


def state_of(epoch: int, num_tensors: int = 8) -> dict[str, Any]:
    """Return a state whose values are the epoch."""
    weights = {f"w{index}": torch.full((40,), float(epoch)) for index in range(num_tensors)}
    moments = {i: {"exp_avg": torch.full((40,), float(epoch))} for i in range(num_tensors)}
    meta = {"epoch": epoch - 1, "iteration": 10 * epoch, "plan": {"seed": 1}}
    optimizer = {"state": moments, "param_groups": [{"lr": 0.1}]}
    return {"meta": meta, "state_dict": weights, "optimizer": optimizer}


def save(folder: Path, kind: str, epoch: int, *, keep: int = 2) -> Path:
    """Save the resumable or the best checkpoint of an epoch."""
    place = {"epoch": epoch, "iteration": 10 * epoch}
    entry = Entry(file=f"epoch_{epoch}.pth", kind="resume", **place)
    if kind == "best":
        score = {"metric": "mse", "value": BEST[epoch], "rule": "less"}
        entry = Entry(file=f"best_epoch_{epoch}.pth", kind="best", **place, **score)
    return checkpoint.save(state_of(epoch), folder, entry, keep=keep)


def make_history(folder: Path) -> None:
    """Save two epochs, of which the second is the best."""
    for epoch in (1, 2):
        save(folder, "resume", epoch)
        save(folder, "best", epoch)


def make_nothing(folder: Path) -> None:
    """Make an empty work directory."""
    folder.mkdir(parents=True, exist_ok=True)


def make_history_without_manifest(folder: Path) -> None:
    """Save two epochs, and lose the manifest."""
    make_history(folder)
    (folder / "checkpoints" / "manifest.json").unlink()


SAVES: dict[str, tuple[Callable[[Path], None], str, int]] = {
    "resume": (make_history, "resume", 3),
    "best": (make_history, "best", 3),
    "first": (make_nothing, "resume", 1),
    "without manifest": (make_history_without_manifest, "resume", 3),
}
"""What is there before, and the kind and the epoch of the save."""


def is_epoch(state: dict[str, Any], *epochs: int) -> bool:
    """Return whether all weights of a checkpoint are those of one of the epochs."""
    return any(all(bool((w == e).all()) for w in state["state_dict"].values()) for e in epochs)


def is_recovered(folder: Path, name: str) -> bool:
    """Return whether the run goes on after a save that failed, and leaves nothing behind."""
    _, kind, epoch = SAVES[name]
    before = range(1, epoch)
    tidy(folder)
    if holds_run(folder):
        _, state = checkpoint.newest(folder, lambda _: None)
        newest = [before[-1]] if before else []
        if not is_epoch(state, *newest, *([epoch] if kind == "resume" else [])):
            return False
    elif before:
        return False
    if before:
        best_checkpoint.repair_best(folder, lambda _: None)
        best = load_manifest(folder).best
        ends = {before[-1], epoch} if kind == "best" else {before[-1]}
        if best is None or best.epoch not in ends or best.value != BEST[best.epoch]:
            return False
        if not is_epoch(checkpoint.read(checkpoint.best(folder)), best.epoch):
            return False
    for later in (epoch, epoch + 1):
        save(folder, "resume", later)
    path, state = checkpoint.newest(folder, lambda _: None)
    files = {entry.file for entry in load_manifest(folder).checkpoints}
    found = {p.name for p in folder.iterdir()}
    if not is_epoch(state, epoch + 1) or found != files | {"manifest.json", "latest.pth"}:
        return False
    return (folder / "latest.pth").samefile(path)


def points(every: int = 1, names: Iterable[str] = SAVES) -> Iterator[Outcome]:
    """Fail each file event of a save in each way.

    Args:
        every: Only each n-th event.
        names: Saves to interrupt.
    """
    with tempfile.TemporaryDirectory(dir=MEMORY) as root:
        for name in names:
            make, kind, epoch = SAVES[name]
            template = Path(root) / name
            make(template)
            number = count_events(shutil.copytree(template, Path(root) / "count"), kind, epoch)
            shutil.rmtree(Path(root) / "count")
            for fault, error in {"kill": None, **ERRORS}.items():
                for nth in range(1, number + 1, every):
                    folder = Path(root) / "run"
                    shutil.copytree(template, folder)
                    yield interrupted(folder, name, FileEvents(nth, error), fault)
                    shutil.rmtree(folder)


def count_events(folder: Path, kind: str, epoch: int) -> int:
    """Return the number of file events of a save."""
    with watching(FileEvents()) as events:
        save(folder, kind, epoch)
    return events.count


def interrupted(folder: Path, name: str, events: FileEvents, fault: str) -> Outcome:
    """Save with a failing event, then continue the run."""
    _, kind, epoch = SAVES[name]
    detected = False
    with watching(events):
        try:
            save(folder, kind, epoch)
        except Killed:
            detected = True
        except CheckpointError as error:
            detected = "\n" not in str(error) and f"epoch_{epoch}.pth" in str(error)
    recovered = is_recovered(folder / "checkpoints", name)
    detected = detected or (recovered and events.error is not None)  # an event without effect
    return Outcome(f"{fault} while saving", detected, recovered, not recovered)


def damaged(path: Path, chance: random.Random, how: str) -> None:
    """Flip a bit of a file, or cut it."""
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data))
    if how == "flip":
        data[place] ^= 1 << chance.randrange(8)
    path.write_bytes(data if how == "flip" else data[:place])


def flips(number: int, *, seed: int = 0) -> Iterator[Outcome]:
    """Flip bits of, and cut, the newest checkpoint, the best one, and the manifest."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=MEMORY) as root:
        template, folder = Path(root) / "template", Path(root) / "run"
        make_history(template)
        save(template, "resume", 3)
        for index in range(number):
            for what in ("newest", "newest without manifest", "best", "manifest"):
                shutil.copytree(template, folder)
                how = "cut" if index % 4 == 3 else "flip"
                yield after_damage(folder / "checkpoints", what, how, chance)
                shutil.rmtree(folder)


def after_damage(folder: Path, what: str, how: str, chance: random.Random) -> Outcome:
    """Damage a file of a run, then load what the run needs."""
    files = {"best": "best_epoch_2.pth", "manifest": "manifest.json"}
    entries = load_manifest(folder).checkpoints
    damaged(folder / files.get(what, "epoch_3.pth"), chance, how)
    if what == "newest without manifest":
        (folder / "manifest.json").unlink()
    warned: list[str] = []
    _, newest = checkpoint.newest(folder, warned.append)
    refused = False
    try:
        checkpoint.read(checkpoint.best(folder))
    except CheckpointError:
        refused = True
    best_checkpoint.repair_best(folder, warned.append)
    best = checkpoint.read(checkpoint.best(folder))
    match what:
        case "newest":
            detected, recovered = bool(warned), is_epoch(newest, 2)
        case "newest without manifest":  # a bit between the parts of a file has no effect
            detected = recovered = is_epoch(newest, 2, 3)
        case "best":
            detected, recovered = refused, is_epoch(newest, 3)
        case _:  # a blank more or less has no effect
            detected = recovered = load_manifest(folder).checkpoints == entries
    recovered = recovered and is_epoch(best, 2)
    return Outcome(f"{how} of {what}", detected, recovered, not recovered)


def plants(number: int, *, seed: int = 0) -> Iterator[Outcome]:
    """Put NaN or infinity anywhere into the state of a run, and save it."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=MEMORY) as root:
        folder = Path(root)
        make_history(folder)
        before = checkpoint_files(folder)
        for _ in range(number):
            state = state_of(3)
            tensors = [*state["state_dict"].values()]
            tensors += [v["exp_avg"] for v in state["optimizer"]["state"].values()]
            value = chance.choice((math.nan, math.inf, -math.inf))
            chance.choice(tensors)[chance.randrange(40)] = value
            kind: Any = chance.choice(("resume", "best"))
            name = {"resume": "epoch_3.pth", "best": "best_epoch_3.pth"}[kind]
            entry = Entry(file=name, kind=kind, epoch=3, iteration=30)
            try:
                checkpoint.save(state, folder, entry, keep=2)
                refused = False
            except NonFiniteError:
                refused = True
            whole = checkpoint_files(folder) == before
            yield Outcome("NaN or infinity in the state to save", refused, whole, not whole)


def summed(outcomes: Iterable[Outcome], notes: dict[str, str] | None = None) -> Iterator[Row]:
    """Yield a row for each class of outcomes."""
    classes: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        classes.setdefault(outcome.name, []).append(outcome)
    for name, found in classes.items():
        counts = (sum(getattr(o, key) for o in found) for key in ("detected", "recovered", "lost"))
        yield Row(name, len(found), *counts, note=(notes or {}).get(name, ""))


def rows() -> Iterator[Row]:
    """Inject all faults of saves, damage and values."""
    torch.set_num_threads(1)  # threads that wait for a busy processor take most of the time
    yield from summed(points())
    yield from summed(flips(500))
    yield from summed(plants(200))
