"""All steps, from data to the leaderboard."""

from pathlib import Path

import pytest

from openstl_ext import cli

RUN = Path("work_dirs/boiling/simvp_gsta_small/seed_0")


def test_the_demo_trains_tests_draws_and_ranks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first command of the README would fail."""
    monkeypatch.chdir(tmp_path)
    demo = ["demo", "--num-samples", "10", "--max-epochs", "1"]
    cli.call(demo)
    shown = capsys.readouterr().out
    assert "| SimVP-gSTA (small)" in shown
    assert shown.rstrip().endswith("board          work_dirs/board.html")
    assert "<!doctype html>" in Path("work_dirs/board.html").read_text(encoding="utf-8")
    checkpoint = next(RUN.glob("checkpoints/best_epoch_*.pth"))
    written = checkpoint.stat().st_mtime_ns
    (RUN / "grid.png").unlink()

    cli.call(demo)  # draws and ranks again, and keeps the rest
    assert "trained and tested before" in capsys.readouterr().out
    assert (RUN / "grid.png").read_bytes().startswith(b"\x89PNG")
    assert checkpoint.stat().st_mtime_ns == written
