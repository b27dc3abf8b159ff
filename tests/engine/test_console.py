"""A closed console window of Windows, with its API replaced."""

import contextlib
import ctypes
import signal
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from openstl_ext.engine import console
from openstl_ext.engine.guards import SignalWatch


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the handlers that are registered with a replaced Windows."""
    registered: list[Any] = []

    def register(handler: Any, add: int) -> int:
        (registered.append if add else registered.remove)(handler)
        return 1

    library = SimpleNamespace(SetConsoleCtrlHandler=register)
    monkeypatch.setattr(ctypes, "WinDLL", lambda _: library, raising=False)
    monkeypatch.setattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE, raising=False)
    monkeypatch.setattr(signal, "SIGBREAK", 21, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    return registered


@pytest.mark.parametrize("event", console.CLOSED)
def test_a_closed_console_ends_the_run_after_a_save(
    event: int, handlers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows would end the process in the middle of its save."""
    waited: list[float] = []
    monkeypatch.setattr(console.time, "sleep", waited.append)
    with contextlib.suppress(SystemExit), SignalWatch() as watch:
        assert handlers[0](event) == 1
        assert (watch.caught, waited) == (21, [console.LONGEST_SAVE])
        sys.exit()  # else the signal would be raised again
    assert handlers == []


def test_ctrl_c_remains_a_signal(handlers: list[Any]) -> None:
    """Ctrl-C would be noted twice, or end the process."""
    with SignalWatch() as watch:
        assert [handlers[0](event) for event in (0, 1)] == [0, 0]
        assert watch.caught == 0
    assert handlers == []
