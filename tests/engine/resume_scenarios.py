"""Run scenarios of killed and resumed runs in the process of ``resume_processes.py``."""

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
def server() -> subprocess.Popen:
    """Return the process, started once for all tests of this process."""
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


def run_scenarios(scenarios: dict[Path, list[dict[str, Any]]]) -> dict[Path, list[list[int]]]:
    """Run the stages of some scenarios; return their exit codes by stage and rank."""
    process = server()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({str(k): v for k, v in scenarios.items()}) + "\n")
    process.stdin.flush()
    return {Path(k): v for k, v in json.loads(process.stdout.readline()).items()}


def log_of(work_dir: Path) -> str:
    """Return the output of all stages of a scenario."""
    return Path(f"{work_dir}.log").read_text()
