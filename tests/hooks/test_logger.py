"""Log lines and files of a test."""

from pathlib import Path

from openstl_ext.engine.runner import build
from openstl_ext.hooks.logger import LoggerHook
from tests.engine import toy


def test_the_scores_of_a_test_are_logged_and_written_to_one_file(tmp_path: Path) -> None:
    """Two ranks would mix their lines in a second file."""
    runner = build(toy.config(tmp_path, log_level="INFO"), train=False)
    assert any(isinstance(hook, LoggerHook) for hook in runner.hooks)
    runner.test()
    (log,) = tmp_path.rglob("*.log")
    assert "Epoch(test)" in log.read_text()
    assert {path.name for path in tmp_path.rglob("*.json")} <= {"result.json"}
