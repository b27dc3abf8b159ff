"""Train a recipe, and judge it.

::

    python tools/train.py configs/boiling/simvp_gsta_small.py --test
    python tools/train.py configs/boiling/simvp_gsta_small.py --resume
    python tools/train.py --list
"""

import argparse

from openstl_ext import cli


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_config(parser, optional=True)
    cli.add_run(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const=True,
        metavar="CHECKPOINT",
        help="go on where the run stopped, or from a checkpoint of it",
    )
    parser.add_argument("--amp", action="store_true", help="train in bfloat16, on any device")
    parser.add_argument("--test", action="store_true", help="judge the best checkpoint at the end")
    parser.add_argument("--list", action="store_true", help="show recipes, models, datasets ...")
    args = parser.parse_args()
    if not args.list and args.config is None:
        parser.error("name a config, or see them all with --list")
    return args


def main() -> None:
    """Train."""
    args = parse()
    if args.list:
        from openstl_ext import catalogue

        cli.say(catalogue.text())
        return
    cfg = cli.load(args)
    cfg.resume = args.resume or cfg.get("resume", False)
    from openstl_ext.engine.runner import build, require_test  # late: a typo needs no torch

    if args.test:
        require_test(cfg)
    runner = build(cfg)
    runner.train()
    if args.test:
        runner.test()


if __name__ == "__main__":
    cli.run(main)
