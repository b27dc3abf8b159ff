"""The full-size step is measured, and its table kept."""

from pathlib import Path

import pytest
import torch

from openstl_ext.config import load
from openstl_ext.engine.runner import build
from openstl_ext.profiling import training_step
from tests.small_recipe import shrink

CONFIG = Path(__file__).parents[2] / "configs" / "taxibj" / "convlstm.py"


@pytest.mark.parametrize(("max_seconds", "samples"), [(1e9, 2), (0.0, 1)])
def test_a_step_has_as_many_samples_as_there_is_time_for(
    max_seconds: float, samples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, a machine is blocked for hours, or a small step is sold as a large one."""
    monkeypatch.setattr(training_step, "limit_memory", lambda _: None)  # it holds for the process
    runner = build(shrink(load(CONFIG, work_dir=tmp_path)))
    before = [p.detach().clone() for p in runner.model.parameters()]
    found = training_step.measure_step(runner, max_seconds=max_seconds, max_bytes=1e12)
    assert (found["samples"], found["batch_size"]) == (samples, 2)
    assert found["seconds"] > 0
    assert found["bytes"] > 1e7
    after = list(runner.model.parameters())
    assert any(not torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_what_does_not_fit_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, a recipe that needs a larger machine has no row, or a false one."""

    def out_of_memory(*_: object) -> float:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(training_step, "limit_memory", lambda _: None)
    monkeypatch.setattr(training_step, "step", out_of_memory)
    runner = build(shrink(load(CONFIG, work_dir=tmp_path)))
    found = training_step.measure_step(runner, max_seconds=1.0, max_bytes=12e9)
    training_step.add_row(tmp_path / "table.md", "b", found)
    assert "0 of 2 | - | more than 12 GB" in (tmp_path / "table.md").read_text()


def test_a_new_row_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """If this fails, the table shows two times for one recipe, or loses the others."""
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
