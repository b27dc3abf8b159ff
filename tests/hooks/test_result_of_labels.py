"""The record of a segmentation, and its table."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from openstl_ext.engine.runner import build
from openstl_ext.results.board import Board
from openstl_ext.results.record import Record
from openstl_ext.results.table import tables_of
from openstl_ext.results.writers.markdown import write as markdown
from tests.engine import toy, toy_sites
from tests.quick_timing import QUICK_TIMING, SECONDS

HOOKS = [{"type": "BaselinesHook"}, {"type": "ResultHook"}]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """Return the record of an untrained net."""
    monkeypatch.setattr(*QUICK_TIMING)
    run = build(toy.config(tmp_path, **toy_sites.options(custom_hooks=HOOKS)), train=False)
    run.baselines = {"Persistence": {"mse": 0.0}}  # of a run before in this process
    run.test()
    return Record.read(tmp_path / "result.json")


def test_the_record_has_scores_of_classes_and_no_baselines_of_frames(record: Record) -> None:
    """Persistence of frames has no labels; its scores would be wrong."""
    assert record.baselines == {}
    assert {"dice", "dice[background]", "dice[site]", "kappa"} <= set(record.metrics)
    about = record.about["dice"]
    assert about["classes"] == ["background", "site"]
    assert about["higher_is_better"] is True
    assert set(about["intervals"]) == {"background", "site"}
    convolutions, norm = 4 * 9 * (2 + 1) * 36, 2 * 4 * 36
    assert record.flops == convolutions + norm
    assert record.frames_per_second is not None
    assert record.frames_per_second["value"] == 1 / SECONDS


def test_a_table_shows_means_and_on_demand_a_class(record: Record) -> None:
    """The score of the class of interest could not be shown, or would have no direction."""
    record = replace(record, training={"seed": 0})  # weights of unknown training are never best
    (table,) = tables_of([record])
    assert table.metrics == ("dice", "iou", "kappa")
    (table,) = tables_of([record], ["dice[site]", "iou[*"])
    assert table.metrics == ("dice[site]", "iou[background]", "iou[site]")
    assert table.best("dice[site]") == record.metrics["dice[site]"]
    text = markdown(Board((table,), (), ()))
    assert "2 frames of 1 x 6 x 6 -> labels (background, site); 7 test samples." in text
    assert "samples/s" in text
    assert r"dice\[site\]" in text
