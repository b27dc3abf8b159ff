"""Run the benchmarks: ``python -m benchmarks [NAME ...]``, a name being a module of this folder."""

import argparse
import importlib
import json
import os
import pkgutil
import platform
import sys
from pathlib import Path

HERE = Path(__file__).parent
STEADY = {
    # glibc gives large blocks back and faults them in anew at every call; variants that allocate
    # differently then look better or worse than they are
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    # spinning threads burn CPU seconds while they wait
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
}


def modules() -> list[str]:
    """Every module that measures something."""
    names = (module.name for module in pkgutil.iter_modules([str(HERE)]))
    return sorted(set(names) - {"harness", "__main__"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(modules())}")
    parser.add_argument("--out", type=Path, default=Path("work_dirs/benchmarks.json"))
    args = parser.parse_args()
    if unknown := set(args.names) - set(modules()):
        parser.error(f"no benchmark called {sorted(unknown)}; there are {', '.join(modules())}")
    if any(os.environ.get(key) != value for key, value in STEADY.items()):
        # read by the C library before Python starts, so the process has to begin again
        os.environ.update(STEADY)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]])

    import torch

    from benchmarks.harness import Row, table

    torch.set_num_threads(max(2, torch.get_num_threads()))
    machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    print(f"CPU seconds summed over threads; {machine}", flush=True)
    rows: list[Row] = []
    for name in args.names or modules():
        for row in importlib.import_module(f"benchmarks.{name}").rows():
            rows.append(row)
            print(f"  {row.name}: {row.ratio:.2f} (goal {row.goal:g})", flush=True)
    print("\n" + "\n".join(table(rows)))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    record = {"machine": machine, "rows": [row.as_dict() for row in rows]}
    args.out.write_text(json.dumps(record, indent=1) + "\n")
    print(f"\nwritten to {args.out}")


if __name__ == "__main__":
    main()
