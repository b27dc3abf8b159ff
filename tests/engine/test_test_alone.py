"""A test without a training before it."""

from pathlib import Path
from typing import Any

import pytest

from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import Runner, build
from tests.engine import toy


def trained(work_dir: Path) -> Runner:
    run = build(toy.config(work_dir, **{"train_cfg.max_epochs": 1}))
    run.train()
    return run


@pytest.mark.parametrize(
    "hook",
    [
        {"type": "EarlyStoppingHook", "monitor": "mse", "rule": "less"},
        {"type": "ProfilerHook"},
    ],
)
def test_a_test_alone_needs_no_training_loop_for_its_hooks(
    tmp_path: Path, hook: dict[str, Any]
) -> None:
    """A run that was trained with such a hook could not be tested later."""
    run = trained(tmp_path / "plain")
    best, options = str(checkpoint.best(run.work_dir)), {"custom_hooks": [hook]}
    alone = build(toy.config(tmp_path / "alone", load_from=best, **options), train=False)
    assert alone.test() == run.test()


def test_a_test_without_a_record_says_so(tmp_path: Path) -> None:
    """A list of hooks replaces that of the base, and the test would end without a score."""
    run = trained(tmp_path / "run")
    best = str(checkpoint.best(run.work_dir))
    for number, hooks in enumerate(([], [{"type": "ResultHook"}])):
        cfg = toy.config(tmp_path / str(number), load_from=best, custom_hooks=hooks)
        run = build(cfg, train=False)
        messages: list[str] = []
        run.logger.warning = messages.append  # type: ignore[method-assign]
        run.test()
        assert any("has no ResultHook" in message for message in messages) == (not hooks)
