"""Inject the faults of all modules of this folder, and write the table docs/reliability.md."""

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import conftest  # noqa: F401  # limits and signals of this process and its children
from tests.faults.row import Row
from tests.faults.table import page

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reliability.md"
MODULES = sorted(
    path.stem
    for path in HERE.glob("*.py")
    if not path.name.startswith("test_")
    and "def rows(" in path.read_text(encoding="utf-8")
    and path != Path(__file__)
)
LIMIT = 1500.0
"""Seconds that one module may take."""


def run_module(name: str, out: Path) -> None:
    """Inject the faults of one module in this process, and write its rows as JSON lines."""
    with out.open("w") as file:
        for row in import_module(f"tests.faults.{name}").rows():
            file.write(json.dumps(asdict(row)) + "\n")


def measure(name: str) -> tuple[list[Row], float, str | None]:
    """Run a module in a process of its own.

    Returns:
        Its rows, the seconds that it took, and the error that ended it, if any.
    """
    start = time.monotonic()
    with TemporaryDirectory() as folder:
        out = Path(folder) / "rows.jsonl"
        command = [sys.executable, "-m", "tests.faults", name, "--rows", str(out)]
        error = None
        try:
            done = subprocess.run(command, timeout=LIMIT, capture_output=True, text=True)
            if done.returncode:
                error = done.stderr.strip()[-2000:]
        except subprocess.TimeoutExpired:
            error = f"{name} took more than {LIMIT:.0f} s"
        lines = out.read_text().splitlines() if out.is_file() else []
    rows, seconds = [Row(**json.loads(line)) for line in lines], time.monotonic() - start
    lost, injected = (sum(getattr(row, key) for row in rows) for key in ("lost", "injected"))
    print(f"{name}: {lost} lost of {injected:,} in {seconds:.0f} s", flush=True)
    return rows, seconds, error or (None if rows else f"{name} has no row")


def main() -> int:
    """Run the modules, two at a time; the status is 1 where a fault is lost or a module fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=f"where the page goes; by default {PAGE.name}")
    args = parser.parse_args()
    if unknown := set(args.names) - set(MODULES):
        parser.error(f"no module {sorted(unknown)}; there are {', '.join(MODULES)}")
    if args.rows:
        run_module(args.names[0], args.rows)
        return 0
    names = args.names or MODULES
    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(names, pool.map(measure, names), strict=True))
    rows = [row for name in names for row in results[name][0]]
    failed = {name: error for name, (_, _, error) in results.items() if error}
    text = page(rows, {name: seconds for name, (_, seconds, _) in results.items()})
    print(text)
    out = args.out or (None if args.names else PAGE)
    if out and not failed:
        out.write_text(text, encoding="utf-8")
    for name, error in failed.items():
        print(f"\n{name} failed: {error}", file=sys.stderr)
    return 1 if failed or any(row.lost for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
