"""A run that is killed and resumed equals the uninterrupted run, bit for bit."""

import itertools
import json
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext.engine import checkpoint
from tests.engine.resume_scenarios import log_of, run_scenarios

ITERATIONS = 24
EMA = {"type": "EMAHook", "momentum": 0.1}
SWITCHES = ("workers", "ranks", "accumulate", "ema", "bf16")
QUICK = {(0, 0, 0, 0, 0), (1, 1, 1, 1, 1), (1, 0, 1, 0, 1), (0, 1, 0, 1, 0), (0, 1, 1, 0, 1)}
REST = sorted(set(itertools.product((0, 1), repeat=len(SWITCHES))) - QUICK)


def options_of(case: tuple[int, ...]) -> tuple[dict[str, Any], int]:
    """Config keys and number of ranks of a case."""
    workers, ranks, accumulate, ema, bf16 = case
    hooks = [{"type": "LossDiary"}] + [EMA] * ema
    return {
        "train_cfg.max_epochs": 3 * (1 + ranks),
        "train_dataloader.num_workers": 2 * workers,
        "optim_wrapper.type": "AutocastOptimWrapper" if bf16 else "OptimWrapper",
        # 8 or 4 batches per epoch: an accumulation of 3 crosses its end
        "optim_wrapper.accumulative_counts": 1 + 2 * accumulate,
        "custom_hooks": hooks,
        # mid-epoch checkpoints
        "default_hooks.checkpoint": {"interval": 3, "by_epoch": False},
    }, 1 + ranks


def killed_at(options: dict[str, Any], iteration: int) -> dict[str, Any]:
    return {
        **options,
        "custom_hooks": [*options["custom_hooks"], {"type": "KillHook", "at": iteration}],
    }


def final(work_dir: Path) -> dict[str, Any]:
    """Return the last checkpoint, without the config, whose hooks for the test may differ."""
    state = without_time(checkpoint.newest(work_dir, pytest.fail)[1])
    del state["meta"]["config"]
    return state


def without_time(state: dict[str, Any]) -> dict[str, Any]:
    """Return a checkpoint without the time of its training, which must be there."""
    assert sum(part["seconds"] for part in state["meta"].pop("training_time")) > 0
    return state


def assert_same(mine: Any, other: Any, where: str = "") -> None:
    """Assert equality to the last bit, through nested dicts and lists."""
    if isinstance(mine, torch.Tensor):
        assert torch.equal(mine, other), where
    elif isinstance(mine, dict):
        assert mine.keys() == other.keys(), where
        for key in mine:
            assert_same(mine[key], other[key], f"{where}.{key}")
    elif isinstance(mine, (list, tuple)):
        for index, pair in enumerate(zip(mine, other, strict=True)):
            assert_same(*pair, f"{where}[{index}]")
    else:
        assert mine == other, where


def losses(work_dir: Path, rank: int = 0) -> dict[int, set[str]]:
    """Return all losses logged at each iteration; a set of one if the replay is exact."""
    seen: dict[int, set[str]] = {}
    for line in (work_dir / f"losses_{rank}.txt").read_text().splitlines():
        iteration, loss = line.split()
        seen.setdefault(int(iteration), set()).add(loss)
    return seen


def check_cases(cases: Iterable[tuple[int, ...]], root: Path) -> None:
    """Compare runs without interruption with runs that are killed at two random moments."""
    chance = random.Random(0)
    scenarios: dict[Path, list[dict[str, Any]]] = {}
    for case in cases:
        options, ranks = options_of(case)
        home = root / name_of(case)
        home.mkdir()
        first, second = sorted(chance.sample(range(4, ITERATIONS), 2))
        scenarios[home / "reference"] = [{"options": options, "ranks": ranks}]
        scenarios[home / "killed"] = [
            {"options": killed_at(options, first), "ranks": ranks},
            {"options": {**killed_at(options, second), "resume": True}, "ranks": ranks},
            {"options": {**options, "resume": True}, "ranks": ranks},
        ]
    for work_dir, by_stage in run_scenarios(scenarios).items():
        expected = [-9] * (len(by_stage) - 1) + [0]
        assert [max(codes, key=abs) for codes in by_stage] == expected, log_of(work_dir)
    for case in cases:
        reference, killed = (root / name_of(case) / name for name in ("reference", "killed"))
        assert final(reference)["meta"]["iteration"] == ITERATIONS
        assert_same(final(reference), final(killed), name_of(case))
        for rank in range(1 + case[1]):
            seen = losses(reference, rank)
            assert seen == losses(killed, rank), f"{name_of(case)}: a replayed step differs"
            assert set(seen) == set(range(ITERATIONS))
        best = [
            without_time(checkpoint.read(checkpoint.best(path))) for path in (reference, killed)
        ]
        assert_same(*best, where=f"{name_of(case)} best")


def name_of(case: tuple[int, ...]) -> str:
    return "-".join(name for name, on in zip(SWITCHES, case, strict=True) if on) or "plain"


def test_a_killed_run_equals_the_uninterrupted_one(tmp_path: Path) -> None:
    """Models trained on a queue with a time limit would differ from others."""
    check_cases(sorted(QUICK), tmp_path)


@pytest.mark.slow
def test_three_ranks_are_resumed_exactly(tmp_path: Path) -> None:
    """Sums over three ranks have an order, which torch changes after the first step."""
    reference, killed = tmp_path / "reference", tmp_path / "killed"
    options, _ = options_of((0, 1, 1, 0, 1))
    stages = [
        {"options": killed_at(options, 11), "ranks": 3},
        {"options": {**options, "resume": True}, "ranks": 3},
    ]
    codes = run_scenarios({reference: [{"options": options, "ranks": 3}], killed: stages})
    assert codes[killed][-1] == [0, 0, 0], log_of(killed)
    assert_same(final(reference), final(killed))


@pytest.mark.slow
@pytest.mark.parametrize("case", REST, ids=name_of)
def test_a_killed_run_equals_the_uninterrupted_one_in_every_combination(
    case: tuple[int, ...], tmp_path: Path
) -> None:
    """Workers, ranks, accumulation, EMA and bf16 could each be exact, but not together."""
    check_cases([case], tmp_path)


@pytest.mark.slow
def test_workers_do_not_change_the_weights(tmp_path: Path) -> None:
    """The number of workers would be a hyperparameter."""
    runs = {
        tmp_path / str(n): [{"options": {"train_dataloader.num_workers": n}}] for n in (0, 1, 2)
    }
    run_scenarios(runs)
    none, one, two = (final(path)["state_dict"] for path in runs)
    assert_same(none, one)
    assert_same(none, two)


def test_a_kill_at_any_point_of_a_save_loses_at_most_one_interval(tmp_path: Path) -> None:
    """Saving a checkpoint could destroy the run."""
    # the second save of a run; each fsyncs file, folder, manifest, folder
    points = [["fsync", n, "kill"] for n in range(9, 13)] + [["write", 5, "kill"]]
    reference = tmp_path / "reference"
    runs = {reference: [{}]}
    for number, fault in enumerate(points):
        runs[tmp_path / str(number)] = [{"fault": fault}, {"options": {"resume": True}}]
    codes = run_scenarios(runs)
    for work_dir in list(runs)[1:]:
        assert codes[work_dir] == [[-9], [0]], log_of(work_dir)
        assert_same(final(reference), final(work_dir))
        assert not list(work_dir.rglob("*.part")), "what the killed writer left is still there"


def test_a_kill_at_any_moment_can_be_resumed(tmp_path: Path) -> None:
    """A kill at a moment that no test chose could end the run."""
    chance = random.Random(1)
    reference, killed = tmp_path / "reference", tmp_path / "killed"
    frequent = {"default_hooks.checkpoint": {"interval": 1, "by_epoch": False}}
    run_scenarios({reference: [{"options": frequent}]})
    for _ in range(6):
        begun = bool(checkpoint.read_manifest(killed))
        delay = chance.uniform(0.05, 0.3)
        run_scenarios({killed: [{"options": {**frequent, "resume": begun}, "delay": delay}]})
    begun = bool(checkpoint.read_manifest(killed))
    run_scenarios({killed: [{"options": {**frequent, "resume": begun}}]})
    assert_same(final(reference), final(killed))


def test_a_run_killed_before_its_validation_still_validates(tmp_path: Path) -> None:
    """The best checkpoint could be one that was not compared with the others."""
    reference, killed = tmp_path / "reference", tmp_path / "killed"
    # the fourth fsync ends the first save
    stages = [{"fault": ["fsync", 4, "kill"]}, {"options": {"resume": True}}]
    codes = run_scenarios({reference: [{}], killed: stages})
    assert codes[killed] == [[-9], [0]]
    validated = []
    for path in (reference, killed):
        lines = map(json.loads, (path / "scalars.jsonl").read_text().splitlines())
        validated.append([line["mse"] for line in lines if "mse" in line])
    assert len(validated[0]) == 3
    assert validated[0] == validated[1]


def test_a_truncated_newest_checkpoint_is_replaced_with_a_warning(tmp_path: Path) -> None:
    """A crashed node would end the run."""
    reference, cut = tmp_path / "reference", tmp_path / "cut"
    run_scenarios({reference: [{}]})
    run_scenarios(
        {
            cut: [
                {
                    "options": {
                        "custom_hooks": [{"type": "LossDiary"}, {"type": "KillHook", "at": 20}]
                    }
                }
            ]
        }
    )
    newest = cut / "checkpoints" / checkpoint.read_manifest(cut)[0].file
    newest.write_bytes(newest.read_bytes()[:1000])
    moved = tmp_path / "moved"
    shutil.move(cut, moved)
    assert run_scenarios({moved: [{"options": {"resume": True}}]}) == {moved: [[0]]}
    assert newest.name in log_of(moved)
    assert "TAKING THE CHECKPOINT BEFORE IT" in log_of(moved)
    assert_same(final(reference), final(moved))


def test_a_full_disk_leaves_the_last_checkpoint_intact(tmp_path: Path) -> None:
    """A full disk would destroy the run."""
    reference, full = tmp_path / "reference", tmp_path / "full"
    runs = {
        reference: [{"ranks": 2}],
        full: [
            {"fault": ["write", 5, "full"], "ranks": 2},
            {"options": {"resume": True}, "ranks": 2},
        ],
    }
    codes = run_scenarios(runs)
    assert codes[full] == [[1, 1], [0, 0]], log_of(full)
    assert "the disk is full" in log_of(full)
    assert_same(final(reference), final(full))


@pytest.mark.slow
def test_a_signal_to_all_processes_of_a_job_does_not_break_the_loader(tmp_path: Path) -> None:
    """Workers would die of the signal that Slurm sends to all processes, before the run saves."""
    reference, stopped = tmp_path / "reference", tmp_path / "stopped"
    options = {"train_dataloader.num_workers": 2}
    kill = {"type": "KillHook", "at": 3, "signum": 15, "workers": True}
    stages = [
        {"options": {**options, "custom_hooks": [{"type": "LossDiary"}, kill]}},
        {"options": {**options, "resume": True}},
    ]
    codes = run_scenarios({reference: [{"options": options}], stopped: stages})
    assert codes[stopped] == [[143], [0]], log_of(stopped)
    assert_same(final(reference), final(stopped))


@pytest.mark.slow
def test_a_run_with_workers_ends(tmp_path: Path) -> None:
    """Workers that ignore SIGTERM would keep a command from ending: Python waits for them."""
    every = {f"{stage}_dataloader.num_workers": 1 for stage in ("train", "val", "test")}
    failing = {**every, "optim_wrapper.optimizer.lr": 1e30, "param_scheduler": None}
    runs = {
        tmp_path / "good": [{"options": every}, {"options": every, "test": True}],
        tmp_path / "diverged": [{"options": failing}],
    }
    codes = run_scenarios(runs)
    assert codes[tmp_path / "good"] == [[0], [0]], log_of(tmp_path / "good")
    log = log_of(tmp_path / "diverged")
    assert "the loss is not finite" in log
    assert "workers outlive the run" not in log


def test_a_signal_saves_and_the_run_is_resumed_exactly(tmp_path: Path) -> None:
    """The minutes between the signal of a scheduler and the kill would be lost."""
    reference, stopped = tmp_path / "reference", tmp_path / "stopped"
    hooks = [{"type": "LossDiary"}, {"type": "KillHook", "at": 7, "signum": 15}]
    options = {"optim_wrapper.accumulative_counts": 2}
    stages = [
        {"options": {**options, "custom_hooks": hooks}, "ranks": 2},
        {"options": {**options, "resume": True}, "ranks": 2},
    ]
    epochs = {"options": options, "ranks": 2}
    codes = run_scenarios({reference: [epochs], stopped: stages})
    assert codes[stopped] == [[143, 143], [0, 0]], log_of(stopped)
    assert_same(final(reference), final(stopped))
    assert "signal 15 (SIGTERM): saved" in log_of(stopped)
