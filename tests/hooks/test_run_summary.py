"""What is printed at the end of a training and of a test."""

import re
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine.checkpoint import load_manifest
from openstl_ext.engine.runner import build
from openstl_ext.progress_line import quiet
from openstl_ext.results.record import Record
from tests.engine import toy

BASELINES = {"type": "BaselinesHook", "nets": [{"type": "Persistence"}]}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a run in the current folder."""
    monkeypatch.chdir(tmp_path)
    hooks = [BASELINES, {"type": "ResultHook"}]
    return build(toy.config("run", log_level="INFO", custom_hooks=hooks))


def places(text: str) -> dict[str, str]:
    """Return the lines that name a place."""
    return dict(re.findall(r"^  ([a-z][a-z ]*?)  +(\S.*)$", text, re.MULTILINE))


def test_a_training_ends_with_its_best_weights_and_the_next_command(
    run: Any, capsys: pytest.CaptureFixture
) -> None:
    """A user would search for the weights, and for how to test them."""
    run.train()
    (text,) = re.findall(r"trained 3 epochs in 0:\d\d\n.*", capsys.readouterr().out, re.DOTALL)
    best, found = load_manifest("run").best, places(text)
    assert best is not None
    expected = f"run/checkpoints/{best.file} (epoch {best.epoch}: validation mse {best.value:g})"
    assert found["best weights"] == expected
    for name in ("last state", "log", "all files"):
        assert Path(found[name]).is_file()
    assert found["next"].startswith("openstl-ext test ")
    assert text.splitlines()[-1].endswith(found["next"])


def test_a_test_ends_with_the_scores_of_its_record(run: Any, capsys: pytest.CaptureFixture) -> None:
    """The console and the record would tell different numbers."""
    run.is_tested_next = True
    run.train()
    assert "next" not in places(capsys.readouterr().out)
    run.test()
    text = capsys.readouterr().out
    record, found = Record.read(Path("run/result.json")), places(text)
    assert record.checkpoint is not None
    assert (
        f"tested {record.checkpoint['file']} on {record.protocol['size']} samples of toy_waves\n"
        in text
    )
    rows = dict(re.findall(r"^  (\w+) +([\d.]+\*? +[\d.]+\*?) *$", text, re.MULTILINE))
    assert list(rows) == [name for name in record.metrics if "@" not in name]
    for name, cells in rows.items():
        ours, theirs = cells.replace("*", "").split()
        assert float(ours) == pytest.approx(record.metrics[name], rel=1e-3)
        assert float(theirs) == pytest.approx(record.baselines["Persistence"][name], rel=1e-3)
    assert Path(found["record"]) == Path("run/result.json")
    assert found["next"] == "openstl-ext leaderboard run"


def test_saved_predictions_are_drawn_next(run: Any, capsys: pytest.CaptureFixture) -> None:
    """A user would not learn that there are pictures to draw."""
    cfg = run.cfg
    cfg.custom_hooks = [*cfg.custom_hooks, {"type": "PredictionsHook"}]
    cfg.load_from = None
    run.lock.release()
    build(cfg, train=False).test()
    found = places(capsys.readouterr().out)
    assert Path(found["predictions"], "about.json").is_file()
    assert found["next"] == f"openstl-ext visualize {found['predictions']}"


def test_quiet_leaves_the_summary(run: Any, capsys: pytest.CaptureFixture) -> None:
    """A quiet run would not say where its weights are."""
    with quiet():
        run.train()
        lines = capsys.readouterr().out.splitlines()
    kept = [line for line in lines if "warning: " not in line]
    assert kept[0].partition("  ")[2].startswith("trained 3 epochs in ")
    assert all(line.startswith("  ") for line in kept[1:])


def test_a_finished_run_tells_its_state_again(run: Any, capsys: pytest.CaptureFixture) -> None:
    """A script that resumes a finished run would print nothing but that nothing is left."""
    run.train()
    capsys.readouterr()
    again = build(toy.config("run", log_level="INFO", custom_hooks=[BASELINES], resume=True))
    again.train()
    text = capsys.readouterr().out
    assert "nothing left to do" in text
    assert "trained 3 epochs\n  best weights" in text
