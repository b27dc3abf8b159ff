"""Measure the cost of a recipe: parameters, FLOPs, frames per second, latency of one forecast.

A multiply-add counts once. Operators that published tables leave out, such as scans, are shown
apart; operators that are not counted are listed. Speed and latency are those of this machine. ::

    openstl-ext profile boiling/simvp_gsta
    openstl-ext profile boiling/simvp_gsta --batch-size 8
    openstl-ext profile boiling/simvp_gsta --shape 10 1 64 64 --horizon 10
"""

import argparse

from openstl_ext import cli
from openstl_ext.commands.arguments import add_config, load_config, require_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_config(parser)
    parser.add_argument(
        "--batch-size", type=int, default=1, help="of the frames per second (%(default)s)"
    )
    parser.add_argument(
        "--shape",
        type=int,
        nargs=4,
        metavar=("T", "C", "H", "W"),
        help="frames to forecast from; default: an item of the test split",
    )
    parser.add_argument(
        "--horizon",
        type=int,
        help="frames to forecast; default: as the item, or T; labels have none",
    )


def run(args: argparse.Namespace) -> None:
    """Measure and print."""
    require_config(args)
    cfg = load_config(args)
    from openstl_ext.profiling import recipe

    cli.print_line(recipe.describe(cfg, args.shape, args.horizon, batch_size=args.batch_size))
