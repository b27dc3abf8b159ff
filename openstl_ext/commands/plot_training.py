"""Plot the loss and the validation scores of trainings by epoch, also of running ones.

It reads the log of each run, scalars.jsonl, so it needs no torch. ::

    openstl-ext plot-training work_dirs/boiling
    openstl-ext plot-training RUN RUN_B --metric mse --metric ssim --out training.png
"""

import argparse
from pathlib import Path

from openstl_ext import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument(
        "folders", nargs="+", metavar="WORK_DIR", help="searched for runs at any depth"
    )
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        help="a validation score; repeatable (the first two)",
    )
    parser.add_argument("--out", type=Path, default=Path("training.png"), help="(%(default)s)")


def run(args: argparse.Namespace) -> None:
    """Write the picture and print its path."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.output_path import check_file
    from openstl_ext.results.training_curves import shown_scores, trainings_below

    check_file(args.out, option="--out", suffixes=(".png",))
    trainings = trainings_below(args.folders)
    scores = shown_scores(trainings, args.metric)
    from openstl_ext.visualization.training_curves import draw_training_curves

    atomic_write(args.out, draw_training_curves(trainings, scores))
    cli.print_line(str(args.out))
