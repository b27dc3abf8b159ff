"""The record of a run that labels, and the table that is made of it."""

from pathlib import Path

import pytest

from openstl_ext.engine.runner import build
from openstl_ext.results.board import Board
from openstl_ext.results.record import Record
from openstl_ext.results.table import tables_of
from openstl_ext.results.writers.markdown import write as markdown
from tests.engine import toy, toy_sites

HOOKS = [{"type": "BaselinesHook"}, {"type": "ResultHook"}]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """Test a net that has learnt nothing; the record it left."""
    monkeypatch.setattr("openstl_ext.profiling.report.frames_per_second", lambda *_, **__: 9.0)
    run = build(toy.config(tmp_path, **toy_sites.options(custom_hooks=HOOKS)), train=False)
    run.baselines = {"Persistence": {"mse": 0.0}}  # of a run before in this process
    run.test()
    return Record.read(tmp_path / "result.json")


def test_the_record_names_classes_and_no_baseline_of_frames(record: Record) -> None:
    """Persistence of frames has no labels; scores of another run would be a lie."""
    assert record.baselines == {}
    assert {"dice", "dice[background]", "dice[site]", "kappa"} <= set(record.metrics)
    about = record.about["dice"]
    assert about["classes"] == ["background", "site"]
    assert about["higher_is_better"] is True
    assert set(about["intervals"]) == {"background", "site"}
    convolutions, norm = 4 * 9 * (2 + 1) * 36, 2 * 4 * 36
    assert record.flops == convolutions + norm
    assert record.frames_per_second is not None
    assert record.frames_per_second["value"] == 9.0


def test_a_table_shows_means_and_on_demand_a_class(record: Record) -> None:
    """The site is what the task is about; with its direction, as the whole has it."""
    (table,) = tables_of([record])
    assert table.metrics == ("dice", "iou", "kappa")
    (asked,) = tables_of([record], ["dice[site]", "iou[*"])
    assert asked.metrics == ("dice[site]", "iou[background]", "iou[site]")
    assert asked.best("dice[site]") == record.metrics["dice[site]"]
    text = markdown(Board((asked,), (), ()))
    assert "2 frames of 1 x 6 x 6 -> labels (background, site); 7 test samples." in text
    assert "samples/s" in text
    assert "dice[site] \N{UPWARDS ARROW}" in text
