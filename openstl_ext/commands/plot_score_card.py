"""Plot a table of how much better a row of the leaderboard is than a baseline, score by lead.

Blue is better, red worse. A star marks differences that the paired test of `leaderboard --compare`
finds, whose p-values are corrected for their number. It needs the tallies that each test keeps. ::

    openstl-ext plot-score-card work_dirs/boiling --compare boiling/simvp_gsta_small Persistence
    openstl-ext plot-score-card work_dirs --compare RUN RUN_B --metrics 'mse*' 'ssim*'
"""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.errors import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("folders", nargs="+", metavar="WORK_DIR", help="searched for results at any depth")
    add(
        "--compare",
        nargs=2,
        required=True,
        metavar=("A", "BASELINE"),
        help="names, configs or folders of two rows",
    )
    add("--metrics", nargs="+", default=(), help="scores with their leads, as in 'mse*' (all)")
    add("--out", type=Path, default=Path("score_card.png"), help="(%(default)s)")


def run(args: argparse.Namespace) -> None:
    """Write the picture and print its path."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.comparison.compare import compare
    from openstl_ext.comparison.score_card import score_card_of
    from openstl_ext.output_path import check_file
    from openstl_ext.results.board import board_of
    from openstl_ext.visualization.score_card import draw_score_card

    check_file(args.out, option="--out", suffixes=(".png",))
    board = board_of(args.folders)
    first, second = args.compare
    found = compare(board, first, second, args.metrics)
    if len(found) > 1:
        protocols = ", ".join(str(c.table.protocol["fingerprint"]) for c in found)
        raise UserError(
            f"both rows are in {len(found)} tables, of the protocols {protocols}; name the folders "
            "of one data set as WORK_DIR"
        )
    atomic_write(args.out, draw_score_card(score_card_of(found[0])).png())
    cli.print_line(str(args.out))
    for problem in board.problems:
        cli.warn(f"not read: {problem}")
