"""Compare the results below some folders in one table per protocol.

It reads only result.json files, so it needs no torch. ::

    openstl-ext leaderboard work_dirs --out leaderboard.md
    openstl-ext leaderboard work_dirs other/work_dirs --out tables --format csv,json
    openstl-ext leaderboard work_dirs --metrics mse_sum 'ssim@*'
"""

import argparse
import io
import sys
from pathlib import Path

from openstl_ext import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "folders", nargs="+", metavar="WORK_DIR", help="searched for results at any depth"
    )
    parser.add_argument(
        "--out", type=Path, help="a file, whose suffix selects the format, or a folder"
    )
    parser.add_argument(
        "--metrics", nargs="+", default=(), help="columns in order; * stands for any text"
    )
    parser.add_argument(
        "--format", default="md,csv,json", help="formats written into a folder (%(default)s)"
    )
    parser.add_argument("--strict", action="store_true", help="status 2 if a file is not readable")


def run(args: argparse.Namespace) -> None:
    """Print the tables, and write them."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.output_path import check_file
    from openstl_ext.results.board import board_of
    from openstl_ext.results.writers import writer_of

    one = args.out and args.out.suffix and not args.out.is_dir()
    formats = [args.out.suffix[1:]] if one else [f for f in args.format.split(",") if f]
    write = {name: writer_of(name) for name in formats}
    if one:
        check_file(args.out, option="--out")
    elif args.out:
        for name in formats:
            check_file(args.out / f"leaderboard.{name}", option="--out")
    board = board_of(args.folders, args.metrics)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # arrows, on Windows
    cli.print_line(writer_of("md")(board).removesuffix("\n"))
    for name in formats if args.out else ():
        path = args.out if one else args.out / f"leaderboard.{name}"
        atomic_write(path, write[name](board).encode(errors="backslashreplace"))
    for problem in board.problems:
        cli.warn(f"not read: {problem}")
    if args.strict and board.problems:
        cli.exit_process(2)
