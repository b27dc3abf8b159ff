"""What a training or a test has brought, where its files are, and the command to type next."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from mmengine.runner import Runner

from openstl_ext.engine.checkpoint import load_manifest
from openstl_ext.engine.manifest import LATEST, checkpoint_folder
from openstl_ext.engine.run_folder import INDEX, command, shown
from openstl_ext.hooks.predictions import PredictionsHook
from openstl_ext.hooks.result import ResultHook
from openstl_ext.progress_task import duration_text
from openstl_ext.results.record import Record
from openstl_ext.results.summary import score_lines


def training_lines(runner: Runner, seconds: float | None) -> list[str]:
    """Return the summary of a training.

    Args:
        runner: The run, whose training has ended.
        seconds: Duration of the training in this process; None if nothing was left to do.
    """
    loop, folder = runner.train_loop, checkpoint_folder(runner.work_dir)
    done = f"{runner.iter:,} iterations"
    if loop.max_iterations is None:
        done = f"{-(-runner.iter // len(runner.train_dataloader))} epochs"
    took = "" if seconds is None else f" in {duration_text(seconds)}"
    best = load_manifest(folder).best
    places = {}
    if best is not None:
        unit, place = ("epoch", best.epoch)
        if loop.max_iterations is not None:
            unit, place = "iteration", best.iteration
        places["best weights"] = (
            f"{shown(folder / best.file)} ({unit} {place}: validation {best.score})"
        )
    places["last state"] = shown(folder / LATEST)
    if not runner.is_tested_next:  # or its summary has the other places
        places |= _common(runner)
        if runner.test_loop is not None:
            places["next"] = command(runner.cfg, "test")
    return [f"trained {done}{took}", *_aligned(places)]


def test_lines(runner: Runner) -> list[str]:
    """Return the summary of a test, whose numbers are those of its record; none without one."""
    hook = next((h for h in runner.hooks if isinstance(h, ResultHook)), None)
    if hook is None or hook.written is None:
        return []
    record = Record.read(hook.written)
    first = load_manifest(runner.work_dir).best
    table = score_lines(record, (first.metric or "") if first else "")
    weights = record.checkpoint["file"] if record.checkpoint else record.name
    size, name = record.protocol["size"], record.protocol["metainfo"].get("name", "the test split")
    saved = next((h.written for h in runner.hooks if isinstance(h, PredictionsHook)), None)
    places = {"record": shown(hook.written)}
    if saved is not None:
        places["predictions"] = shown(saved)
    places |= _common(runner)
    places["next"] = _after_test(runner, saved)
    return [
        f"tested {weights} on {size:,} samples of {name}",
        *(f"  {line}" for line in table),
        *_aligned(places),
    ]


def _after_test(runner: Runner, saved: Path | None) -> str:
    """Return the command that fits best after a test."""
    if saved is not None:
        return shlex.join(["openstl-ext", "visualize", shown(saved)])
    parents = Path(runner.work_dir).parents
    above = next((p for p in parents if p.name == "work_dirs"), Path(runner.work_dir))
    return shlex.join(["openstl-ext", "leaderboard", shown(above)])


def _common(runner: Runner) -> dict[str, str]:
    """Return places that every run has."""
    folder = Path(runner.work_dir)
    pictures = [path.name for path in sorted(folder.glob("*.png"))]
    drawn = {"pictures": ", ".join(shown(folder / name) for name in pictures)} if pictures else {}
    log = shown(runner.logger.log_file)
    return {**drawn, "log": log, "all files": shown(folder / INDEX)}


def _aligned(places: dict[str, str]) -> Iterator[str]:
    width = max(map(len, places))
    yield from (f"  {name.ljust(width)}  {place}" for name, place in places.items())
