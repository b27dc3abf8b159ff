"""Runs of segmentation: resume and scores on several ranks."""

import json
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine import checkpoint
from tests.e2e.test_resume import assert_same, losses, without_time
from tests.engine.resume_scenarios import log_of, run_scenarios
from tests.engine.toy_sites import options

EPOCHS = {"train_cfg.max_epochs": 8}
DIARY = {"type": "LossDiary"}


def killed_at(iteration: int) -> dict[str, Any]:
    return options(**EPOCHS, custom_hooks=[DIARY, {"type": "KillHook", "at": iteration}])


def final(work_dir: Path) -> dict[str, Any]:
    return without_time(checkpoint.newest(work_dir, pytest.fail)[1])


@pytest.mark.parametrize("ranks", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_plateau_is_resumed_exactly(ranks: int, tmp_path: Path) -> None:
    """After each kill the rate would stay too high for another patience."""
    reference, killed = tmp_path / "reference", tmp_path / "killed"
    first, second = (3 * 8 + 2, 6 * 8) if ranks == 1 else (3 * 4 + 1, 6 * 4)
    codes = run_scenarios(
        {
            reference: [{"options": options(**EPOCHS), "ranks": ranks}],
            killed: [
                {"options": killed_at(first), "ranks": ranks},
                {"options": {**killed_at(second), "resume": True}, "ranks": ranks},
                {"options": options(**EPOCHS, resume=True), "ranks": ranks},
            ],
        }
    )
    assert codes[reference] == [[0] * ranks], log_of(reference)
    assert codes[killed][-1] == [0] * ranks, log_of(killed)
    assert_same(final(reference), final(killed))
    for rank in range(ranks):
        assert losses(reference, rank) == losses(killed, rank)
    (plateau,) = final(reference)["param_schedulers"]
    assert plateau["best"] > 0.5, "the schedule received no Dice"
    assert final(reference)["optimizer"]["param_groups"][0]["lr"] < 1e-2, "there was no plateau"


@pytest.mark.slow
def test_all_ranks_reduce_the_rate_together(tmp_path: Path) -> None:
    """Weights would diverge from the first plateau on, as upstream, which steps on rank 0 only."""
    work_dir = tmp_path / "run"
    changes = options(**EPOCHS, custom_hooks=[DIARY, {"type": "RateDiary"}])
    codes = run_scenarios({work_dir: [{"options": changes, "ranks": 2}]})
    assert codes[work_dir] == [[0, 0]], log_of(work_dir)
    first, second = ((work_dir / f"rates_{rank}.txt").read_text() for rank in (0, 1))
    assert first == second
    assert len(set(first.split())) > 1, "there was no plateau"


def test_scores_of_labels_do_not_depend_on_the_number_of_ranks(tmp_path: Path) -> None:
    """A Dice would depend on the number of GPUs."""
    work_dir = tmp_path / "run"
    stages = [{"options": options(), "ranks": ranks, "test": True} for ranks in (1, 2, 3)]
    codes = run_scenarios({work_dir: stages})[work_dir]
    assert codes == [[0] * ranks for ranks in (1, 2, 3)], log_of(work_dir)
    one, two, three = (
        json.loads((work_dir / f"scores_{ranks}.json").read_text()) for ranks in (1, 2, 3)
    )
    assert one == two == three
    assert {"dice", "dice[background]", "dice[site]", "iou", "kappa"} <= set(one)
    assert 0 < float.fromhex(one["dice[site]"]) < 1
