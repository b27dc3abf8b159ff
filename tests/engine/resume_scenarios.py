"""Ask a process that has torch ready to run legs of journeys; see ``resume_processes.py``."""

import atexit
import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("resume_processes.py")


@functools.cache
def guide() -> subprocess.Popen:
    """The process; started once for all tests of this one."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    atexit.register(process.kill)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def travel(journeys: dict[Path, list[dict[str, Any]]]) -> dict[Path, list[list[int]]]:
    """Run the legs of some journeys; exit codes by leg and rank."""
    process = guide()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({str(k): v for k, v in journeys.items()}) + "\n")
    process.stdin.flush()
    return {Path(k): v for k, v in json.loads(process.stdout.readline()).items()}


def log_of(work_dir: Path) -> str:
    """What all legs of a journey printed."""
    return Path(f"{work_dir}.log").read_text()
