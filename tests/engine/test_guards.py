"""Signals that end a run."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openstl_ext.engine import guards
from openstl_ext.engine.guards import SIGNALS, SignalWatch
from tests.e2e.test_resume import assert_same, final
from tests.engine.resume_scenarios import log_of, run_scenarios


@pytest.fixture
def handlers() -> Iterator[None]:
    """Restore all handlers."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_second_ctrl_c_ends_at_once(handlers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose step does not end could not be stopped; or one Ctrl-C would count twice.

    A launcher sends the one that its terminal has sent to all processes again.
    """
    now = 0.0
    monkeypatch.setattr(guards.time, "monotonic", lambda: now)
    with contextlib.suppress(KeyboardInterrupt), SignalWatch() as watch:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert watch.caught == signal.SIGINT
        now = 1.0
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the training goes on")


def test_an_ignored_signal_stays_ignored(handlers: None) -> None:
    """A run under nohup would end when its terminal is closed."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with SignalWatch() as watch:
        signal.raise_signal(signal.SIGHUP)
        assert watch.caught == 0


def test_a_signal_after_the_last_step_is_not_lost(handlers: None) -> None:
    """`train --test` would test for hours after the scheduler has asked it to end."""
    seen: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    with SignalWatch():
        signal.raise_signal(signal.SIGTERM)
        assert seen == []
    assert seen == [signal.SIGTERM]


def test_every_signal_that_a_user_or_a_scheduler_sends_saves(tmp_path: Path) -> None:
    """All since the last checkpoint would be lost; with Ctrl-C in the first epoch, everything.

    A terminal sends the signal to the workers too.
    """
    reference = tmp_path / "reference"
    options = {"train_dataloader.num_workers": 1, "custom_hooks": [{"type": "LossDiary"}]}
    runs = {reference: [{"options": options}]}
    for number in SIGNALS:
        kill = {"type": "KillHook", "at": 3, "signum": int(number), "workers": True}
        stop = {**options, "custom_hooks": [{"type": "LossDiary"}, kill]}
        runs[tmp_path / number.name] = [{"options": stop}]
    stopped = tmp_path / "SIGINT"
    runs[stopped].append({"options": {**options, "resume": True}})
    codes = run_scenarios(runs)
    for number in SIGNALS:
        log = log_of(tmp_path / number.name)
        assert codes[tmp_path / number.name][0] == [128 + number], log
        assert f"({number.name}): saved after 3 iterations; continue with --resume" in log
    assert_same(final(reference), final(stopped))


def test_ctrl_c_outside_a_training_ends_with_one_line() -> None:
    """The user would see a traceback."""
    code = "import os; from openstl_ext import cli; cli.run(lambda: os.kill(os.getpid(), 2))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr == "interrupted; call the same command again\n"
