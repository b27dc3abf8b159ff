"""Measurement of one training step at full size."""

from pathlib import Path

import pytest
import torch

from openstl_ext.config import load
from openstl_ext.engine.runner import build
from openstl_ext.profiling import training_step
from tests.small_recipe import shrink

CONFIG = Path(__file__).parents[2] / "configs" / "taxibj" / "convlstm.py"


@pytest.mark.parametrize(("max_seconds", "samples"), [(1e9, 2), (0.0, 1)])
def test_the_number_of_samples_fits_the_time_limit(
    max_seconds: float, samples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The measurement would take hours, or report too few samples as the batch of the recipe."""
    monkeypatch.setattr(training_step, "limit_memory", lambda _: None)  # it limits this process
    runner = build(shrink(load(CONFIG, work_dir=tmp_path)))
    before = [p.detach().clone() for p in runner.model.parameters()]
    found = training_step.measure_step(runner, max_seconds=max_seconds, max_bytes=1e12)
    assert (found["samples"], found["batch_size"]) == (samples, 2)
    assert found["seconds"] > 0
    assert found["bytes"] > 1e7
    after = list(runner.model.parameters())
    assert any(not torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_a_recipe_that_does_not_fit_has_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipe that needs a larger machine would be missing in the table."""

    def out_of_memory(*_: object) -> float:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(training_step, "limit_memory", lambda _: None)
    monkeypatch.setattr(training_step, "step", out_of_memory)
    runner = build(shrink(load(CONFIG, work_dir=tmp_path)))
    found = training_step.measure_step(runner, max_seconds=1.0, max_bytes=12e9)
    training_step.add_row(tmp_path / "table.md", "b", found)
    assert "0 of 2 | - | more than 12 GB" in (tmp_path / "table.md").read_text()


def test_a_new_row_replaces_the_old_one(tmp_path: Path) -> None:
    """The table would have two rows for one recipe, or lose those of others."""
    path = tmp_path / "table.md"
    row = {"samples": 1, "batch_size": 4, "seconds": 2.0, "bytes": 3e9, "device": "cpu"}
    training_step.add_row(path, "b", row)
    training_step.add_row(path, "a", row)
    training_step.add_row(path, "b", {**row, "samples": 4})
    rows = [line for line in path.read_text().splitlines() if line.startswith("| `")]
    assert rows == [
        "| `a` | 1 of 4 | 2.0 | 3.0 GB | cpu |",
        "| `b` | 4 of 4 | 2.0 | 3.0 GB | cpu |",
    ]
