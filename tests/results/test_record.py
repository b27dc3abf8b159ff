"""The record, one JSON file per run."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.atomic_io import atomic_write
from openstl_ext.results.board import RESULTS
from openstl_ext.results.record import Record, RecordError


def broken(fakes, tmp_path: Path, **changes) -> Path:
    """Write a record with some fields overwritten, or removed where the change is "absent"."""
    path = tmp_path / "result.json"
    fakes.record().write(path)
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in content.items() if v != "absent"}))
    return path


def test_a_record_is_read_as_it_was_written(fakes, tmp_path: Path):
    """Tables would have other numbers than the test."""
    record = fakes.record(
        checkpoint={"file": "best.pth", "sha256": "ab", "epoch": 3, "iteration": None},
        selection={"split": "val", "on_test": False},
        baselines={"Persistence": {"mse_sum": 80.0}},
        postprocessed={"conformal": {"mse_sum": 24.0}},
        flops_apart={"scan": 1e6},
        source={"claimed": {"mse_sum": 23.8, "note": "text"}},
    )
    record.write(tmp_path / "deep" / "result.json")
    assert Record.read(tmp_path / "deep" / "result.json") == record
    assert record.claimed == {"mse_sum": 23.8}


def test_a_score_without_value_is_null(fakes, tmp_path: Path):
    """Other programs could not read NaN in JSON."""
    path = tmp_path / "result.json"
    fakes.record(mse=float("nan")).write(path)
    content = json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(word))
    assert content["metrics"]["mse_sum"] is None
    assert Record.read(path).metrics["mse_sum"] is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": "zero"}, r"Expected `int \| null`, got `str` - at `\$\.seed`"),
        ({"seed": True}, r"Expected `int \| null`, got `bool` - at `\$\.seed`"),
        ({"metrics": {"mse_sum": "24"}}, r"got `str` - at `\$\.metrics"),
        ({"metrics": [1]}, r"Expected `object`, got `array` - at `\$\.metrics`"),
        ({"protocol": {"fingerprint": "ab"}}, r"missing required field .* - at `\$\.protocol`"),
        ({"frames_per_second": {"value": 3}}, r"missing .* - at `\$\.frames_per_second`"),
        ({"overrides": "a=1"}, r"Expected `array`, got `str` - at `\$\.overrides`"),
        ({"config": "absent"}, "missing required field `config`"),
        ({"num_paramters": 3}, "unknown field `num_paramters`"),
        ({"schema": 1}, "schema is 1, this version reads 2; run the test again"),
    ],
)
def test_the_error_of_a_wrong_record_names_file_and_field(
    fakes, tmp_path: Path, change: dict, words: str
):
    """The wrong one of a thousand files could not be found."""
    path = broken(fakes, tmp_path, **change)
    with pytest.raises(RecordError, match=words) as caught:
        Record.read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "\0\xff"])
def test_a_file_that_is_no_json_object_is_rejected_by_name(tmp_path: Path, text: str):
    """A truncated file would give a traceback."""
    path = tmp_path / "result.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecordError, match=r"result\.json"):
        Record.read(path)


def test_a_record_with_a_wrong_type_is_not_written(fakes, tmp_path: Path):
    """The mistake would show months later, in a table."""
    with pytest.raises(RecordError, match=r"Expected `int .* - at `\$\.seed`"):
        fakes.record(seed="0").write(tmp_path / "result.json")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch):
    """A full disk would destroy the last result."""
    path = tmp_path / "result.json"
    atomic_write(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="the disk is full"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_every_field_is_documented():
    """Readers of the file could not know the meaning of a field."""
    for name in Record.__struct_fields__:
        assert f"    {name}: " in inspect.cleandoc(Record.__doc__ or ""), name


def weights(letter: str, file: str = "best_epoch_2.pth", iteration: int = 20) -> dict[str, Any]:
    return {"file": file, "sha256": letter * 64, "epoch": 2, "iteration": iteration}


def test_a_record_of_other_weights_or_of_another_test_is_kept(fakes, tmp_path: Path) -> None:
    """The result of a run would be replaced by that of another checkpoint or other data."""
    wanted = tmp_path / "result.json"
    first = fakes.record(checkpoint=weights("a"))
    assert first.place(wanted) == wanted
    first.write(wanted)
    assert fakes.record(checkpoint=weights("a"), mse=25.0).place(wanted) == wanted
    changes: list[dict[str, Any]] = [
        {"checkpoint": weights("b")},
        {"protocol": fakes.protocol(size=31)},
        {"overrides": ["test_dataloader.dataset.num_targets=5"]},
        {"checkpoint": None},
    ]
    places = [fakes.record(**{"checkpoint": weights("a"), **c}).place(wanted) for c in changes]
    assert len({*places, wanted}) == 5
    assert all(RESULTS.fullmatch(place.name) for place in places)


def test_a_file_that_is_no_record_is_kept(fakes, tmp_path: Path) -> None:
    """A damaged file would be replaced, though it could be repaired."""
    wanted = tmp_path / "result.json"
    wanted.write_text("{")
    assert fakes.record(checkpoint=weights("a")).place(wanted).name.startswith("result_aaaaaaaa_")
