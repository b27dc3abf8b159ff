import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import __main__, fresh_process
from benchmarks.harness import Row

WORKING = """
from benchmarks.harness import NotMeasured, Row

def rows():
    yield NotMeasured("sort in bf16", "no bf16 here")
    yield Row("sort", "by hand", 3.0, 2.0, goal=1.0)
"""
BROKEN = """
from benchmarks.harness import Row

def rows():
    yield Row("search", "by hand", 1.0, 2.0, goal=1.0)
    raise OSError("the disk is full")
"""


def allocating(megabytes: int) -> Callable[[], int]:
    return lambda: len(b"x" * (megabytes << 20))


def failing() -> None:
    raise OSError("the disk is full")


def record(name: str, ratio: float) -> dict[str, object]:
    return {"name": name, "baseline": "by hand", "ratio": ratio}


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is measured on Linux only")
def test_the_peak_is_that_of_the_call_and_not_of_the_parent_process() -> None:
    """All memory rows would be 1.00 after a row that used much memory."""
    assert len(b"x" * (400 << 20))
    cost = fresh_process.measure(allocating, 64, rounds=2)
    assert 60e6 < cost.added_bytes < 80e6
    assert cost.added_bytes < cost.peak_bytes < 200e6


def test_a_process_that_fails_is_an_error_with_its_message() -> None:
    """A benchmark could fail without a visible reason."""
    with pytest.raises(RuntimeError, match=r"failing.* status 1:[\s\S]*OSError: the disk is full"):
        fresh_process.call(failing)


def test_memory_that_cannot_be_measured_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row without a measurement would look like one without a difference."""
    monkeypatch.setattr(fresh_process, "PROC", tmp_path / "proc")
    with pytest.raises(RuntimeError, match="cannot measure peak memory"):
        fresh_process.status_bytes("VmHWM")
    with pytest.raises(RuntimeError, match="cannot measure peak memory"):
        fresh_process.reset_peak()
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/status").write_text("VmRSS:\t 12 kB\n")
    assert fresh_process.status_bytes("VmRSS") == 12 * 1024
    with pytest.raises(RuntimeError, match="has no VmHWM"):
        fresh_process.status_bytes("VmHWM")


@pytest.mark.parametrize("cost", [0.0, -1.0, float("nan"), float("inf")])
def test_a_row_without_a_measurement_is_an_error(cost: float) -> None:
    """A ratio of two missing figures would meet a goal of 1."""
    with pytest.raises(ValueError, match=r"added memory: costs .* are not positive"):
        Row("added memory", "all held", 1e6, cost, goal=1.0, unit="MB")


@pytest.mark.slow
def test_a_failed_module_is_reported_and_the_others_still_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """One failure would hide all other rows, or would not be noticed."""
    folder = tmp_path / "toy_benchmarks"
    folder.mkdir()
    (folder / "a_broken.py").write_text(BROKEN)
    (folder / "working.py").write_text(WORKING)
    earlier, out = tmp_path / "earlier.json", tmp_path / "now.json"
    earlier.write_text(json.dumps({"rows": [record("sort", 3.0)]}))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(__main__, "FOLDER", folder.name)
    command = ["benchmarks", "--out", str(out), "--against", str(earlier)]
    monkeypatch.setattr(sys, "argv", command)

    assert __main__.main() == 1
    printed = capfd.readouterr()
    assert "a_broken failed: " in printed.err
    assert "OSError: the disk is full" in printed.err
    lines = printed.out.splitlines()
    assert "| search | by hand | 1000 CPU ms | 2000 CPU ms | 0.50 | 1 | missed | new |" in lines
    assert "| sort | by hand | 3000 CPU ms | 2000 CPU ms | 1.50 | 1 | met | 0.50 |" in lines
    written = json.loads(out.read_text())
    assert [row["ratio"] for row in written["rows"]] == [0.5, 1.5]
    assert list(written["failed"]) == ["a_broken"]
    assert "not measured: sort in bf16: no bf16 here" in lines
    assert written["not_measured"] == [{"name": "sort in bf16", "reason": "no bf16 here"}]
