"""The tables in CSV and JSON lose nothing."""

import csv
import io
import json
from pathlib import Path

import msgspec

from openstl_ext.results.board import board_of
from openstl_ext.results.record import Record
from openstl_ext.results.table import tables_of
from openstl_ext.results.writers import csv as lines
from openstl_ext.results.writers import json as nested
from tests.results.pages import record, two_tables


def test_csv_states_how_a_training_differs(tmp_path: Path) -> None:
    """Two rows of one config, name and seed could not be told apart."""
    for rate in ("0.1", "0.2"):
        training = {"model.type": "DirectForecast", "lr": rate}
        record("A", "a", 1.0, training=training).write(tmp_path / rate / "result.json")
    rows = list(csv.DictReader(io.StringIO(lines.write(board_of([tmp_path])))))
    assert [row["differs"] for row in rows if row["name"] == "A"].count("") == 1
    assert any("lr" in row["differs"] for row in rows)


def test_json_gives_the_same_tables_back(tmp_path: Path) -> None:
    """Intervals and scores of single seeds were left out."""
    board = two_tables(tmp_path)
    content = json.loads(nested.write(board))
    records = msgspec.convert(content["records"], list[Record])
    assert len(records) == len(board.places)
    assert tuple(tables_of(records)) == board.tables


def test_csv_has_the_interquartile_mean_ties_and_memory(tmp_path: Path) -> None:
    """They were computed and dropped."""
    rows = list(csv.DictReader(io.StringIO(lines.write(two_tables(tmp_path)))))
    row = next(row for row in rows if row["name"] == "SimVP" and len(row["seeds"].split()) == 3)
    assert float(row["mse_sum_iqm"]) == 10.0
    assert (float(row["mse_sum_iqm_low"]), float(row["mse_sum_iqm_high"])) == (9.5, 10.5)
    assert row["mse_sum_tied"] == ""  # there are no tallies
    assert int(row["peak_memory"]) == 512_000_000
    assert float(row["latency_seconds"]) == 0.0123
    assert float(row["training_seconds"]) == 7560
    assert row["training_time"].startswith("seconds=7560.0, devices=1, device=x86_64")
    baseline = next(row for row in rows if row["name"] == "Persistence")
    assert baseline["latency_seconds"] == baseline["training_seconds"] == ""
