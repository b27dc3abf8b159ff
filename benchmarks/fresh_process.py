"""Run a function in a fresh process, and measure the CPU time and peak memory of a call there.

A process that is started with `exec` has a peak of its own (`VmHWM`). `ru_maxrss` is unsuitable: a
child starts with the value of its parent. Linux only.
"""

import ctypes
import gc
import importlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROC = Path("/proc/self")
STDERR_LINES = 20
STEADY = {
    # glibc returns large blocks to the system and gets new pages at every call, which favours
    # the variant that allocates less often
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    # spinning threads use CPU seconds while they wait
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
}


@dataclass(frozen=True)
class Cost:
    """Cost of a call in a process of its own.

    Args:
        seconds: Median CPU seconds of a call, summed over threads.
        peak_bytes: Peak resident memory of the process during the calls.
        added_bytes: The part of it that was not resident before the first call.
    """

    seconds: float
    peak_bytes: int
    added_bytes: int


def measure(
    prepare: Callable[..., Callable[[], object]],
    *args: Any,
    rounds: int = 1,
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """Return the cost of a call in a fresh process.

    Args:
        prepare: Function of a module that returns the call to be measured. Its own cost is not
            measured, so it makes the inputs and loads what a first call loads.
        args: Its arguments, which JSON can represent.
        rounds: Number of calls.
        environment: Environment variables of the process; default: those of this process.

    Raises:
        RuntimeError: The process failed, or its peak memory cannot be measured.
    """
    names = prepare.__module__, prepare.__name__
    return Cost(**call(measure_here, *names, args, rounds, environment=environment))


def call(
    function: Callable[..., Any], *args: Any, environment: Mapping[str, str] | None = None
) -> Any:
    """Call a function of a module in a fresh process, and return what JSON keeps of its result.

    Raises:
        RuntimeError: The process failed; the message has the end of its standard error.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        names = function.__module__, function.__name__
        command = [sys.executable, "-m", __name__, *names, json.dumps(args), str(result)]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            tail = "\n".join(done.stderr.splitlines()[-STDERR_LINES:])
            name = ".".join(names)
            raise RuntimeError(f"{name}{args} ended with status {done.returncode}:\n{tail}")
        sys.stderr.write(done.stderr)
        return json.loads(result.read_text())


def measure_here(module: str, name: str, args: list[Any], rounds: int) -> dict[str, float]:
    """Measure in this process; see `measure`."""
    piece = getattr(importlib.import_module(module), name)(*args)
    gc.collect()
    # freed memory that the C library still holds would hide what the call allocates
    ctypes.CDLL(None).malloc_trim(0)
    reset_peak()
    before, seconds = status_bytes("VmRSS"), []
    for _ in range(rounds):
        start = time.process_time()
        piece()
        seconds.append(time.process_time() - start)
    peak = status_bytes("VmHWM")
    return asdict(Cost(statistics.median(seconds), peak, peak - before))


def reset_peak() -> None:
    """Set the peak memory of this process to what is resident now."""
    try:
        (PROC / "clear_refs").write_text("5")
    except OSError as error:
        raise unmeasurable(str(error)) from error


def status_bytes(field: str) -> int:
    """Return a field of `/proc/self/status`, such as `VmHWM`, in bytes."""
    try:
        status = (PROC / "status").read_text()
    except OSError as error:
        raise unmeasurable(str(error)) from error
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise unmeasurable(f"{PROC / 'status'} has no {field}")
    return 1024 * int(found[1])


def unmeasurable(reason: str) -> RuntimeError:
    return RuntimeError(f"cannot measure peak memory: {reason}; run this benchmark on Linux")


def steady_environment() -> dict[str, str]:
    """Return an environment in which freed memory is kept and waiting threads sleep."""
    return {**os.environ, **STEADY}


def ordinary_environment(**changes: str) -> dict[str, str]:
    """Return the environment without these settings, as in ordinary use."""
    return {name: value for name, value in os.environ.items() if name not in STEADY} | changes


def main() -> None:
    module, name, args, result = sys.argv[1:]
    found = getattr(importlib.import_module(module), name)(*json.loads(args))
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
