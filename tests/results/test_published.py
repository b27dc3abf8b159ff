"""Published results in the formats of the leaderboard."""

import csv
import io
import json
from pathlib import Path

import pytest

from openstl_ext.results.board import Board, board_of
from openstl_ext.results.published import published_rows
from openstl_ext.results.writers import writers
from tests.results.test_claims import TAXIBJ

CLAIMED = {"mse_sum": 0.3246, "mae_sum": 15.03, "ssim_openstl": 0.9844, "psnr": 39.71}
OURS = {"mse_sum": 0.3146, "mae_sum": 15.53, "ssim_openstl": 0.99, "psnr": 39.71}
ABOUT = {name: {"higher_is_better": name in ("psnr", "ssim_openstl")} for name in OURS}


@pytest.fixture
def board(fakes, tmp_path: Path) -> Board:
    """Return a table with a recipe, a smaller one of the same method, and a baseline."""
    common = {"protocol": fakes.protocol(**TAXIBJ), "about": ABOUT, "metrics": OURS}
    recipe = {"config": "taxibj/simvp_gsta", "name": "SimVP-gSTA", "source": {"claimed": CLAIMED}}
    small = {"config": "taxibj/small", "name": "SimVP-gSTA (small)", "source": {}}
    probe = {**recipe, "overrides": ["train_cfg.max_epochs=1"], "seed": 1}
    baselines = {"Persistence": dict.fromkeys(OURS, 0.5)}
    for name, facts in {"recipe": recipe, "small": small, "probe": probe}.items():
        run = fakes.record(**{**common, **facts}, baselines=baselines)
        run.write(tmp_path / name / "result.json")
    return board_of([tmp_path])


def test_the_gap_is_that_of_the_recipe_as_it_is(board: Board):
    """The gap of a smaller net, of a probe or of another budget would be read as a failure."""
    (table,) = board.tables
    gaps = {(r.claim.label, r.claim.source_kind, r.claim.epochs): r for r in published_rows(table)}
    zoo = gaps["SimVP-gSTA", "model_zoo", 50]
    assert zoo.row is not None
    assert zoo.row.config == "taxibj/simvp_gsta"
    assert zoo.gaps == pytest.approx(
        {"mse_sum": -0.01, "mae_sum": 0.5, "ssim_openstl": 0.0056, "psnr": 0.0}
    )
    rerun = gaps["SimVP-gSTA", "rerun_by_other_paper", None]
    assert (rerun.row, rerun.gaps) == (None, {})
    assert {r.row.config for r in gaps.values() if r.row} == {"taxibj/simvp_gsta"}


def test_a_misprint_has_no_gap(fakes, tmp_path: Path):
    """A figure of another formula would make a gap of 16 dB."""
    shape = (10, 1, 64, 64)
    protocol = fakes.protocol(
        **{
            **TAXIBJ,
            "dataset": {"type": "MovingMNIST", "split": "test"},
            "shapes": {"inputs.frames": shape, "data_samples.frames": shape},
            "size": 10_000,
        }
    )
    claimed = {"mse_sum": 26.69, "mae_sum": 77.19, "ssim_openstl": 0.9402, "psnr": 22.78}
    fakes.record(protocol=protocol, metrics=claimed, source={"claimed": claimed}).write(
        tmp_path / "result.json"
    )
    (table,) = board_of([tmp_path]).tables
    rows = [r for r in published_rows(table) if r.row and r.claim.source_kind == "model_zoo"]
    assert {r.claim.metrics["psnr"]: "psnr" in r.gaps for r in rows} == {38.35: False, 22.78: True}
    assert all("mse_sum" in r.gaps for r in rows)
    text = writers()["md"](board_of([tmp_path]))
    assert "38.35 (misprint) |" in text
    assert "22.78 (ours +0)" in text


def test_markdown_has_them_apart_and_unranked(board: Board):
    """A published figure in bold, or among measured rows, would look measured here."""
    text = writers()["md"](board)
    measured, published = text.split("### Published")
    assert "model_zoo" not in measured
    assert "**" not in published
    assert "0.3246 (ours -0.01)" in published
    assert "15.03 (ours +0.5)" in published
    assert "0.367385 |" in published
    assert "not measured here" in published
    assert "`openstl-ext claims --dataset taxibj`" in published
    assert "PredRNN" not in published
    assert "SimVP-ViT" not in published
    labels = [r.claim.label.casefold() for r in published_rows(board.tables[0])]
    assert labels == sorted(labels)


def test_csv_has_no_column_of_both(board: Board):
    """A program that sorts a column would rank published figures."""
    lines = list(csv.DictReader(io.StringIO(writers()["csv"](board))))
    published = [line for line in lines if line["kind"] == "published"]
    assert len(published) == len(published_rows(board.tables[0]))
    assert all(line["mse_sum"] == "" for line in published)
    assert all(line["source"] and line["source_kind"] for line in published)
    (ours,) = [line for line in published if line["config"] and line["source_kind"] == "model_zoo"]
    assert (ours["mse_sum_claimed"], float(ours["mse_sum_gap"])) == ("0.3246", pytest.approx(-0.01))
    quoted = next(line for line in published if line["name"] == "VMRNN-B")
    assert quoted["flags"].startswith("quoted: a figure of another publication")


def test_json_has_claims_whole(board: Board):
    """A program would have to read the lineage from a text."""
    (table,) = json.loads(writers()["json"](board))["tables"]
    found = [row for row in table["published"] if row["recipe"]]
    assert {row["recipe"] for row in found} == {"taxibj/simvp_gsta"}
    assert found[0]["scores"]["mse_sum"] == found[0]["claim"]["metrics"]["mse_sum"] == 0.3246
    assert {row["kind"] for row in table["rows"]} == {"run", "probe", "baseline"}


def test_a_probe_and_synthetic_data_have_no_claim(fakes, board: Board, tmp_path: Path):
    """A figure of the published task would stand beside a test of another one."""
    claimed = {row.kind: row.claimed for row in board.tables[0].rows if row.name == "SimVP-gSTA"}
    assert claimed == {"run": CLAIMED, "probe": {}}
    fakes.record(synthetic=True, source={"claimed": CLAIMED}).write(tmp_path / "s/result.json")
    (table,) = board_of([tmp_path / "s"]).tables
    assert table.rows[0].claimed == {}
    assert table.claims == ()
