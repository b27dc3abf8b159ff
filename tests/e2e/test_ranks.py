"""Scores and errors of runs on several ranks."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine import checkpoint
from tests.e2e.test_resume import EMA, assert_same, final, killed_at, losses
from tests.engine.resume_scenarios import log_of, run_scenarios


@pytest.mark.parametrize("num_samples", [1, 7])
def test_scores_do_not_depend_on_the_number_of_ranks(num_samples: int, tmp_path: Path) -> None:
    """Scores would depend on the number of GPUs, also with fewer samples than ranks."""
    options = {"test_dataloader.dataset.num_samples": num_samples}
    stages = [{"options": options, "ranks": ranks, "test": True} for ranks in (1, 2, 3)]
    work_dir = tmp_path / "run"
    assert run_scenarios({work_dir: stages})[work_dir] == [[0] * ranks for ranks in (1, 2, 3)], (
        log_of(work_dir)
    )
    one, two, three = (
        json.loads((work_dir / f"scores_{ranks}.json").read_text()) for ranks in (1, 2, 3)
    )
    assert one == two == three


def test_a_non_finite_loss_on_one_rank_stops_all_before_a_save(tmp_path: Path) -> None:
    """The others would wait for it until a timeout, or save NaN weights."""
    work_dir = tmp_path / "run"
    hooks = [{"type": "PoisonHook", "at": 6, "rank": 1}]
    codes = run_scenarios({work_dir: [{"options": {"custom_hooks": hooks}, "ranks": 2}]})[work_dir]
    assert codes == [[1, 1]], log_of(work_dir)
    log = log_of(work_dir)
    assert "the loss is not finite at iteration 6 on rank 1: loss = nan, loss_frames = nan" in log
    manifest = json.loads((work_dir / "checkpoints" / "manifest.json").read_text())
    assert max(entry["iteration"] for entry in manifest["checkpoints"]) == 4


def ended(work_dir: Path, hook: dict[str, Any], **options: Any) -> tuple[list[int], str]:
    """Return exit codes and log of a run of two ranks with a hook and a limit of one second."""
    options = {"custom_hooks": [hook], "env_cfg": {"dist_cfg": {"timeout": 1}}, **options}
    ((codes,),) = run_scenarios({work_dir: [{"options": options, "ranks": 2}]}).values()
    return codes, log_of(work_dir)


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_hung_rank_ends_the_run_and_is_named(rank: int, tmp_path: Path) -> None:
    """A run would hold its GPUs until somebody looks at it."""
    codes, log = ended(tmp_path / "run", {"type": "HangHook", "at": 6, "rank": rank})
    assert codes == [1, 1], log
    (line,) = re.findall("error: .*", log)
    assert re.match(rf"error: rank {rank} \(process \d+ on .*\) hangs: no progress for 1 s", line)
    assert f"rank {rank}: iteration 6, toy.py:" in line
    assert "Traceback" not in log


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_stopped_rank_is_named(rank: int, tmp_path: Path) -> None:
    """A rank that the system has suspended, even the one with the store, would stop the others."""
    hook = {"type": "KillHook", "at": 6, "rank": rank, "signum": 19}
    codes, log = ended(tmp_path / "run", hook)
    assert (codes[rank], codes[1 - rank]) == (-9, 1), log
    assert re.search(rf"error: rank {rank} \(.*\) hangs: .*iteration [67]", log)


@pytest.mark.slow
def test_a_slow_rank_is_not_taken_for_a_hung_one(tmp_path: Path) -> None:
    """A long evaluation on rank 0 would end the run."""
    hook = {"type": "HangHook", "at": 6, "rank": 0, "seconds": 3, "busy": True}
    codes, log = ended(tmp_path / "run", hook)
    assert codes == [0, 0], log


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_is_named_by_the_others(rank: int, tmp_path: Path) -> None:
    """The user would see a traceback of gloo, and not which rank was killed."""
    codes, log = ended(tmp_path / "run", {"type": "KillHook", "at": 6, "rank": rank})
    assert codes[rank] == -9
    assert codes[1 - rank] == 1
    assert re.search(rf"RankError: rank {rank}.* has ended, near iteration [67]", log), log


@pytest.mark.parametrize("of_optimiser", [pytest.param(False, marks=pytest.mark.slow), True])
def test_ranks_whose_weights_differ_save_nothing(of_optimiser: bool, tmp_path: Path) -> None:
    """The saved weights would depend on the rank that saves them."""
    work_dir = tmp_path / "run"
    hook = {"type": "DriftHook", "at": 8, "rank": 1, "of_optimiser": of_optimiser}
    codes, log = ended(work_dir, hook)
    assert codes == [1, 1], log
    first = "(exp_avg of the optimiser)" if of_optimiser else "net.body.0.weight"
    assert re.search(rf"RankError: rank 1 differs from rank 0 in .*{re.escape(first)}", log), log
    assert max(entry.iteration for entry in checkpoint.read_manifest(work_dir)) == 4


OFTEN = {
    "train_cfg.max_epochs": 4,
    "custom_hooks": [{"type": "LossDiary"}, EMA],
    "default_hooks.checkpoint": {"interval": 3, "by_epoch": False},
}


def stages(options: dict[str, Any], *ranks: int) -> list[dict[str, Any]]:
    """Return a run that is stopped after 5 and 11 iterations and resumed with other ranks."""
    stop = [
        {"custom_hooks": [*options["custom_hooks"], {"type": "KillHook", "at": at, "signum": 15}]}
        for at in (5, 11)
    ]
    first, second, third = ranks
    return [
        {"options": {**options, **stop[0]}, "ranks": first},
        {"options": {**options, **stop[1], "resume": True}, "ranks": second},
        {"options": {**options, "resume": True}, "ranks": third},
    ]


def test_two_ranks_continue_as_one_and_as_two_again_bit_for_bit(tmp_path: Path) -> None:
    """A run could not go on when a GPU is lost, or would be another one afterwards."""
    reference, changed = tmp_path / "reference", tmp_path / "changed"
    options = {**OFTEN, "train_dataloader.num_workers": 1}
    codes = run_scenarios(
        {reference: [{"options": options, "ranks": 2}], changed: stages(options, 2, 1, 2)}
    )
    assert codes[changed] == [[143, 143], [143], [0, 0]], log_of(changed)
    assert_same(losses(reference), losses(changed))
    assert_same(final(reference), final(changed))


@pytest.mark.slow
def test_one_rank_continues_as_two_with_the_same_samples(tmp_path: Path) -> None:
    """The batch size, and with it the learning rate that fits, would change in the run.

    Without batch norm and dropout, gradients differ in the order of their sums only.
    """
    reference, changed = tmp_path / "reference", tmp_path / "changed"
    options = {
        **OFTEN,
        "model.net.plain": True,
        "train_dataloader.batch_size": 6,
        "train_dataloader.dataset.num_samples": 24,
    }
    codes = run_scenarios({reference: [{"options": options}], changed: stages(options, 1, 2, 1)})
    assert codes[changed] == [[143], [143, 143], [0]], log_of(changed)
    one, other = final(reference)["state_dict"], final(changed)["state_dict"]
    for name, weight in one.items():
        assert (weight - other[name]).abs().max() < 1e-5, name


def test_samples_that_cannot_be_divided_among_the_ranks_are_refused(tmp_path: Path) -> None:
    """The ranks would train on other samples than before."""
    work_dir = tmp_path / "run"
    first = {"options": killed_at(OFTEN, 5)}
    again = {"options": {**OFTEN, "resume": True}, "ranks": 2}
    codes = run_scenarios({work_dir: [first, again]})[work_dir]
    assert codes == [[-9], [1, 1]]
    log = log_of(work_dir)
    assert "the 3 samples of an iteration cannot be divided among 2 processes" in log


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_signal_in_a_validation_saves_at_once(ranks: int, tmp_path: Path) -> None:
    """A scheduler would kill the run before its validation ends, and lose all since the last save.

    No checkpoint is due at the end of the first epoch.
    """
    reference, stopped = tmp_path / "reference", tmp_path / "stopped"
    options = {
        **OFTEN,
        "default_hooks.checkpoint": {"interval": 3, "by_epoch": True},
        "val_dataloader.dataset.num_samples": 13,  # the ranks have unequally many batches
    }
    hook = {"type": "KillHook", "at": 1, "signum": 1, "rank": ranks - 1, "in_validation": True}
    first = {**options, "custom_hooks": [*options["custom_hooks"], hook]}
    codes = run_scenarios(
        {
            reference: [{"options": options, "ranks": ranks}],
            stopped: [
                {"options": first, "ranks": ranks},
                {"options": {**options, "resume": True}, "ranks": ranks},
            ],
        }
    )
    assert codes[stopped] == [[129] * ranks, [0] * ranks], log_of(stopped)
    assert f"signal 1 (SIGHUP): saved after {8 // ranks} iterations" in log_of(stopped)
    assert_same(losses(reference), losses(stopped))
    assert_same(final(reference), final(stopped))
