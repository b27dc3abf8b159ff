"""One JSON a run."""

import json
from pathlib import Path

import pytest

from openstl_ext.atomic_io import atomic_write
from openstl_ext.results.record import Record, RecordError


def broken(fakes, tmp_path: Path, **changes) -> Path:
    """A record with some fields overwritten, or left out where the change is None."""
    path = tmp_path / "result.json"
    fakes.record().write(path)
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in content.items() if v != "absent"}))
    return path


def test_a_record_comes_back_as_it_was(fakes, tmp_path: Path):
    """The table is made of what is read, not of what was found."""
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


def test_a_score_of_nothing_is_null_in_strict_json(fakes, tmp_path: Path):
    """NaN in the file would make it unreadable for every other program."""
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
def test_a_broken_record_names_file_and_field(fakes, tmp_path: Path, change: dict, words: str):
    """Among a thousand runs nobody finds the wrong one without its name."""
    path = broken(fakes, tmp_path, **change)
    with pytest.raises(RecordError, match=words) as caught:
        Record.read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "\0\xff"])
def test_what_is_no_json_object_is_refused_by_name(tmp_path: Path, text: str):
    """A file cut off by a full disk is the commonest broken record."""
    path = tmp_path / "result.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecordError, match=r"result\.json"):
        Record.read(path)


def test_a_record_that_could_not_be_read_is_not_written(fakes, tmp_path: Path):
    """Better an error where the mistake is than one in a table months later."""
    with pytest.raises(RecordError, match=r"Expected `int .* - at `\$\.seed`"):
        fakes.record(seed="0").write(tmp_path / "result.json")
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch):
    """A full disk must not take the last result with it."""
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
    """The record is read by people who never saw this code."""
    for name in Record.__struct_fields__:
        assert f"        {name}: " in (Record.__doc__ or ""), name
