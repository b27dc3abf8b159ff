"""Measure time and memory of one training step of each recipe at its full size.

Each is measured in its own process. The table marks recipes whose batch does not fit the machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from openstl_ext import cli


def main() -> None:
    """Measure all recipes one by one, or one in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("configs", nargs="+", help="of sets whose miniature has the full size")
    parser.add_argument("--data", default="data/miniature", help="folder of the sets")
    parser.add_argument("--out", default="docs/full_steps.md")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--gigabytes", type=float, default=12.0)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        measure(args)
        return
    from openstl_ext.profiling import training_step

    limits = [f"--data={args.data}", f"--seconds={args.seconds}", f"--gigabytes={args.gigabytes}"]
    for config in args.configs:
        command = [sys.executable, sys.argv[0], config, "--one", *limits]
        env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}  # or the peak is glibc's heap
        done = subprocess.run(command, capture_output=True, text=True, env=env)
        printed = done.stderr if done.returncode else done.stdout
        print(config, printed.strip().splitlines()[-1], flush=True)
        if not done.returncode:
            training_step.add_row(Path(args.out), config, json.loads(printed.splitlines()[-1]))


def measure(args: argparse.Namespace) -> None:
    """Measure one step of one recipe and print a line of JSON."""
    from openstl_ext import config
    from openstl_ext.engine.runner import build
    from openstl_ext.profiling.training_step import measure_step

    with tempfile.TemporaryDirectory() as folder:
        cfg = config.load(args.configs[0], work_dir=folder)
        for stage in ("train", "val", "test"):
            loader = cfg[f"{stage}_dataloader"]
            loader.num_workers = 0
            loader.dataset.root = str(Path(args.data, Path(loader.dataset.root).name))
        most = {"max_seconds": args.seconds, "max_bytes": args.gigabytes * 1e9}
        print("\n" + json.dumps(measure_step(build(cfg), **most)))


if __name__ == "__main__":
    cli.run(main)
