"""Scores and errors of runs on several ranks."""

import json
from pathlib import Path

import pytest

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
