"""Run a command of ``tools/`` in this process."""

import runpy
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[1] / "tools"


def run_tool(name: str, *arguments: str) -> int:
    """Run a command and return its exit status."""
    before = sys.argv, list(sys.path)
    sys.argv = [str(TOOLS / f"{name}.py"), *arguments]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv, sys.path[:] = before
    return 0
