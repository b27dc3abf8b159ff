"""The closing of a console window on Windows."""

import contextlib
import ctypes
import sys
import time
from collections.abc import Callable, Iterator

CLOSED = (2, 5, 6)
"""CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT and CTRL_SHUTDOWN_EVENT of the Windows API."""

LONGEST_SAVE = 60.0
"""Seconds; Windows itself waits for about five after a closed window."""


@contextlib.contextmanager
def when_closed(note: Callable[[], None]) -> Iterator[None]:
    """Call a function when the console is closed, or the user logs off, inside the context.

    Windows ends the process as soon as its handler returns, so the handler, which has a thread of
    its own, waits while the main thread saves and exits. On other systems a closed terminal sends
    SIGHUP, and nothing is done here.

    Args:
        note: Function that stores that the run has to end; it is called in another thread.

    Source:
        Microsoft, "HandlerRoutine callback function" and "SetConsoleCtrlHandler".
    """
    if sys.platform != "win32":
        yield
        return

    @ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)
    def handler(event: int) -> int:
        if event not in CLOSED:  # Ctrl-C and Ctrl-Break are signals of Python
            return 0
        note()
        time.sleep(LONGEST_SAVE)
        return 1

    kernel32 = ctypes.WinDLL("kernel32")
    kernel32.SetConsoleCtrlHandler(handler, 1)
    try:
        yield
    finally:
        kernel32.SetConsoleCtrlHandler(handler, 0)
