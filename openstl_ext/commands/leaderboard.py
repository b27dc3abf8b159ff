"""Compare the results below some folders in one table per protocol.

Rows that cannot be told from the best one are marked where the tests kept their tallies. ::

    openstl-ext leaderboard work_dirs --out leaderboard.md
    openstl-ext leaderboard work_dirs other/work_dirs --out tables --format csv,json
    openstl-ext leaderboard work_dirs --metrics mse_sum 'ssim@*'
    openstl-ext leaderboard work_dirs --html board.html --latex tables.tex
    openstl-ext leaderboard board.json --latex tables.tex    # of --json, without the runs
    openstl-ext leaderboard work_dirs --compare boiling/simvp_gsta_small Persistence
"""

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from openstl_ext import cli

if TYPE_CHECKING:
    from openstl_ext.results.board import Board

FILES = {
    "html": "write one page that works without a network: tables that sort, figures, pictures",
    "latex": "write tables for \\input; they need booktabs",
    "csv": "write one line per row",
    "json": "write everything without loss",
}
SUFFIXES = {"latex": "tex"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "folders",
        nargs="+",
        metavar="WORK_DIR",
        help="searched for results at any depth; or the file of --json",
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
    for name, what in FILES.items():
        parser.add_argument(f"--{name}", type=Path, metavar="FILE", help=what)
    parser.add_argument(
        "--no-pictures", action="store_true", help="leave forecasts out of the page of --html"
    )
    parser.add_argument(
        "--no-links", action="store_true", help="for a page of --html that leaves the runs behind"
    )
    parser.add_argument(
        "--compare",
        nargs=2,
        metavar=("A", "B"),
        help="test whether A is better than B: names, configs or folders of two rows",
    )
    parser.add_argument("--strict", action="store_true", help="status 2 if a file is not readable")


def run(args: argparse.Namespace) -> None:
    """Print the tables or the comparison, and write them."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.errors import UserError
    from openstl_ext.output_path import check_file
    from openstl_ext.results.board import board_of
    from openstl_ext.results.writers import writer_of

    one = args.out and args.out.suffix and not args.out.is_dir()
    formats = [args.out.suffix[1:]] if one else [f for f in args.format.split(",") if f]
    for name in formats:
        writer_of(name)  # an unknown format ends the command before the work
    stem = "comparison" if args.compare else "leaderboard"
    paths = [(f, args.out if one else args.out / f"{stem}.{f}") for f in formats if args.out]
    sources = [Path(folder) for folder in args.folders]
    for _, path in paths:
        check_file(path, option="--out", sources=sources)
    for name in FILES:
        if path := getattr(args, name):
            check_file(path, option=f"--{name}", sources=sources)
            paths.append((SUFFIXES.get(name, name), path))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # arrows, on Windows
    if args.compare:
        from openstl_ext.comparison.compare import compare
        from openstl_ext.comparison.report import WRITERS

        board = board_of(args.folders)
        first, second = args.compare
        found = compare(board, first, second, args.metrics)
        if missing := [name for name, _ in paths if name not in WRITERS]:
            raise UserError(f"a comparison has no format {missing[0]}; choose {', '.join(WRITERS)}")
        texts = [(path, WRITERS[name](found)) for name, path in paths]
        cli.print_line(WRITERS["md"](found).removesuffix("\n"))
    else:
        board = _with_ties(board_of(args.folders, args.metrics))
        texts = [(path, _text(name, board, path, args)) for name, path in paths]
        cli.print_line(writer_of("md")(board).removesuffix("\n"))
    for path, text in texts:
        atomic_write(path, text.encode(errors="backslashreplace"))
    if board.read_from and args.metrics and not args.compare:
        cli.warn(f"ties are marked only in columns that {board.read_from} has")
    for problem in board.problems:
        cli.warn(f"not read: {problem}")
    if args.strict and board.problems:
        cli.exit_process(2)


def _text(name: str, board: "Board", path: Path, args: argparse.Namespace) -> str:
    """Return the board in a format; links of a page are relative to its folder."""
    from openstl_ext.results.writers import html, writer_of

    if name == html.SUFFIX:
        folder = None if args.no_links else path.absolute().parent
        return html.page(board, folder=folder, pictures=not args.no_pictures)
    return writer_of(name)(board)


def _with_ties(board: "Board") -> "Board":
    """Mark ties if any test kept its tallies; only then are the metrics, and torch, imported."""
    from openstl_ext.results.kept_tallies import tallies_file

    if board.read_from or not any(tallies_file(path).exists() for _, path in board.places):
        return board  # a file has the ties of its columns
    from openstl_ext.comparison.compare import with_ties

    return with_ties(board)
