"""Plot a score against the forecast horizon, for runs and their baselines.

It reads only result.json files, so it needs no torch. ::

    openstl-ext plot-horizons work_dirs/human_modification --metric mae --out horizons.png
    openstl-ext plot-horizons work_dirs/a/seed_0 work_dirs/b/seed_0 --metric coverage
    openstl-ext plot-horizons work_dirs/boiling --metric mae --metric ssim --band samples

Bands are one standard deviation over seeds. With `--band samples` they are 95 % intervals under
another test set of this size, from the tallies that each test keeps. Several metrics, and runs
with different protocols, get plots of their own, side by side.
"""

import argparse
from pathlib import Path

from openstl_ext import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "folders", nargs="+", metavar="WORK_DIR", help="searched for results at any depth"
    )
    parser.add_argument(
        "--metric", action="append", help="such as mae, ssim or mae[t2m]; repeatable (mae)"
    )
    parser.add_argument(
        "--band",
        choices=("seeds", "samples"),
        default="seeds",
        help="spread over seeds, or interval over test samples (%(default)s)",
    )
    parser.add_argument("--out", type=Path, help="a PNG (horizons_<metric>.png)")


def run(args: argparse.Namespace) -> None:
    """Write the picture and print its path."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.output_path import check_file
    from openstl_ext.results.board import board_of
    from openstl_ext.results.horizons import plots_of

    metrics = args.metric or ["mae"]
    path = args.out or Path(f"horizons_{'_'.join(metrics)}.png".replace("/", "_"))
    check_file(path, option="--out", suffixes=(".png",))
    board, intervals = board_of(args.folders, ["*"]), None
    if args.band == "samples":
        from openstl_ext.comparison.intervals import intervals_from

        intervals = intervals_from(board)
    plots = [plot for metric in metrics for plot in plots_of(board, metric, intervals)]
    from openstl_ext.visualization.error_curve import draw_error_curves  # a second, for fonts

    atomic_write(path, draw_error_curves(plots))
    cli.print_line(str(path))
    for problem in board.problems:
        cli.warn(f"not read: {problem}")
