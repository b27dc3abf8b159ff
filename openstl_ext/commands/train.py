"""Train a recipe; with --test, evaluate its best checkpoint too.

::

    openstl-ext train boiling/simvp_gsta_small --test
    openstl-ext train boiling/simvp_gsta_small --resume
    openstl-ext train boiling/simvp_gsta_small --resume auto
    openstl-ext train boiling/simvp_gsta_small --dry-run
    openstl-ext train --recipe simvp_gsta --data data/mine
    openstl-ext list
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from openstl_ext import cli
from openstl_ext.commands.arguments import add_config, add_run, load_config
from openstl_ext.commands.recipe_arguments import resolve
from openstl_ext.errors import UserError

if TYPE_CHECKING:
    from mmengine.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_config(parser, optional=True)
    add_run(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const=True,
        metavar="CHECKPOINT",
        help="continue the run of the work directory, from its newest checkpoint or this one; "
        "auto starts it if there is none",
    )
    parser.add_argument("--amp", action="store_true", help="train in bfloat16, on any device")
    parser.add_argument("--test", action="store_true", help="test the best checkpoint at the end")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="build all parts, print the merged config and the shapes of one batch, and stop",
    )
    parser.add_argument("--list", action="store_true", help="same as openstl-ext list")


def run(args: argparse.Namespace) -> None:
    """Train."""
    if args.list:
        cli.call(["list"])
        return
    resolve(args)
    if args.config is None:
        raise UserError(
            "train needs a CONFIG, such as boiling/simvp_gsta_small (--list shows all), or "
            "--recipe NAME --data FOLDER"
        )
    cfg = load_config(args)
    if args.dry_run:
        describe(cfg)
        return
    cfg.resume = args.resume or cfg.get("resume", False)
    from openstl_ext.engine.run_checks import (
        require_test,
        require_training,
    )  # late: a typo needs no torch
    from openstl_ext.engine.runner import build

    require_training(cfg)
    if args.test:
        require_test(cfg)
    runner = build(cfg)
    runner.train()
    if args.test:
        runner.test()


def describe(cfg: "Config") -> None:
    """Print the merged config and the shapes of the first batch; build all parts, write nothing."""
    import tempfile

    from openstl_ext.engine.runner import build

    cli.print_line(cfg.pretty_text)
    with tempfile.TemporaryDirectory() as folder:  # a runner writes its log
        cfg.work_dir = folder
        runner = build(cfg)
        batch = next(iter(runner.train_dataloader))
        if runner.rank == 0:
            count = len(runner.train_dataloader)
            lines = [f"first of {count} training batches per epoch", *shapes_of(batch)]
            cli.print_line("\n  ".join(lines))
        runner.visualizer.close()


def shapes_of(batch: Any, name: str = "") -> Iterator[str]:
    """Yield one line for each tensor of a nested batch."""
    for key, value in batch.items():
        place = f"{name}.{key}".lstrip(".")
        if isinstance(value, dict):
            yield from shapes_of(value, place)
        else:
            yield f"{place}: {tuple(value.shape)} {value.dtype}".replace("torch.", "")
