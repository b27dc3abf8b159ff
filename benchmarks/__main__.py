"""Run benchmarks, each module of this folder in a process of its own."""

import argparse
import json
import pkgutil
import platform
import sys
import tempfile
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from benchmarks import harness
from benchmarks.fresh_process import call, steady_environment
from benchmarks.harness import NotMeasured, Row
from openstl_ext.atomic_io import atomic_write

FOLDER = "benchmarks"
NOT_MEASURING = {"__main__", "fresh_process", "harness"}


def modules() -> list[str]:
    """Return the names of the modules that measure something."""
    names = {module.name for module in pkgutil.iter_modules(import_module(FOLDER).__path__)}
    return sorted(names - NOT_MEASURING)


def measure(name: str) -> tuple[list[Row], list[NotMeasured], str | None]:
    """Return the rows of a module, those not measured, and the error that ended it, if any."""
    with tempfile.TemporaryDirectory() as folder:
        path, error = Path(folder) / "rows.jsonl", None
        path.touch()
        module = f"{FOLDER}.{name}"
        try:
            call(harness.write_rows, module, str(path), environment=steady_environment())
        except RuntimeError as failure:
            error = str(failure)
        found = [json.loads(line) for line in path.read_text().splitlines()]
    rows = [Row(**values) for values in found if "reason" not in values]
    left_out = [NotMeasured(**values) for values in found if "reason" in values]
    return rows, left_out, error if found or error else f"{module} yields no row"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(modules())}")
    parser.add_argument("--out", type=Path, default=Path("work_dirs/benchmarks.json"))
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="earlier record; adds a column ratio now / ratio then, where less than 1 is worse. "
        "The same code measured twice shows the noise",
    )
    args = parser.parse_args()
    if unknown := set(args.names) - set(modules()):
        parser.error(f"no benchmark called {sorted(unknown)}; there are {', '.join(modules())}")
    if args.against and not args.against.is_file():
        parser.error(f"--against {args.against}: no such file; give a record written by --out")
    return args


def main() -> int:
    """Measure, print and write the rows; the status is 1 where a module failed."""
    args = arguments()
    earlier = harness.ratios(args.against) if args.against else None
    threads = harness.use_threads()
    machine = f"{platform.machine()}, {threads} threads, torch {version('torch')}"
    print(f"CPU seconds summed over threads; {machine}", flush=True)
    rows: list[Row] = []
    left_out: list[NotMeasured] = []
    failed: dict[str, str] = {}
    for name in args.names or modules():
        measured, not_measured, error = measure(name)
        rows += measured
        left_out += not_measured
        if error:
            failed[name] = error
            print(f"  {name} failed", flush=True)
    print("\n" + "\n".join(harness.table(rows, earlier)))
    for row in left_out:
        print(f"\nnot measured: {row.name}: {row.reason}")
    record = {
        "machine": machine,
        "rows": [row.as_dict() for row in rows],
        "not_measured": [asdict(row) for row in left_out],
        "failed": failed,
    }
    atomic_write(args.out, (json.dumps(record, indent=1) + "\n").encode())
    print(f"\nwritten to {args.out}", flush=True)
    for name, error in failed.items():
        print(f"\n{name} failed: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
