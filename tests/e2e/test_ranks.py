"""However many ranks share a run, it is one run."""

import json
from pathlib import Path

import pytest

from tests.engine.resume_scenarios import log_of, travel


@pytest.mark.parametrize("num_samples", [1, 7])
def test_scores_do_not_depend_on_the_number_of_ranks(num_samples: int, tmp_path: Path) -> None:
    """Else a score would say how many GPUs a laboratory has. One sample is fewer than the ranks."""
    options = {"test_dataloader.dataset.num_samples": num_samples}
    legs = [{"options": options, "ranks": ranks, "test": True} for ranks in (1, 2, 3)]
    work_dir = tmp_path / "run"
    assert travel({work_dir: legs})[work_dir] == [[0] * ranks for ranks in (1, 2, 3)], log_of(
        work_dir
    )
    one, two, three = (
        json.loads((work_dir / f"scores_{ranks}.json").read_text()) for ranks in (1, 2, 3)
    )
    assert one == two == three


def test_one_poisoned_rank_stops_all_before_anything_is_saved(tmp_path: Path) -> None:
    """Else the others would wait for it until a timeout, or save what it poisoned."""
    work_dir = tmp_path / "run"
    hooks = [{"type": "PoisonHook", "at": 6, "rank": 1}]
    codes = travel({work_dir: [{"options": {"custom_hooks": hooks}, "ranks": 2}]})[work_dir]
    assert codes == [[1, 1]], log_of(work_dir)
    log = log_of(work_dir)
    assert "the loss is not finite at iteration 6 on rank 1: loss = nan, loss_frames = nan" in log
    manifest = json.loads((work_dir / "checkpoints" / "manifest.json").read_text())
    assert max(entry["iteration"] for entry in manifest["checkpoints"]) == 4
