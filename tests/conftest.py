"""Limits for two test processes on two cores: one thread each, without busy waiting.

Under nohup, or in the background of a shell, some signals are ignored; the processes that tests
start would inherit that. ``tests.faults`` imports this module, too.
"""

import os
import signal

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)
