"""Print what a recipe costs: parameters, FLOPs of one forecast, forecast frames per second.

::

    python tools/profile.py configs/boiling/simvp_gsta.py
    python tools/profile.py configs/boiling/simvp_gsta.py --shape 10 1 64 64 --horizon 10
"""

import argparse

from openstl_ext import cli


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_config(parser)
    parser.add_argument("--batch-size", type=int, default=1, help="of the speed (%(default)s)")
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
    return parser.parse_args()


def main() -> None:
    """Profile."""
    args = parse()
    cfg = cli.load(args)
    from openstl_ext.profiling import recipe

    cli.say(recipe.describe(cfg, args.shape, args.horizon, batch_size=args.batch_size))


if __name__ == "__main__":
    cli.run(main)
