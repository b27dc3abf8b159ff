"""Train a recipe; with --test, evaluate its best checkpoint too.

::

    openstl-ext train boiling/simvp_gsta_small --prepare --test
    openstl-ext train boiling/simvp_gsta_small --resume
    openstl-ext train boiling/simvp_gsta_small --resume auto     # the same command every time
    openstl-ext train boiling/simvp_gsta_small --resume --cfg-options train_cfg.max_epochs=30
    openstl-ext train boiling/simvp_gsta_small --dry-run
    openstl-ext train --recipe simvp_gsta --data data/mine
    openstl-ext train boiling/simvp_gsta --data data/mine --size 48 --epochs 5 --name trial
    openstl-ext list
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openstl_ext import cli
from openstl_ext.commands.arguments import add_config, add_run, load_config, require_config
from openstl_ext.commands.preparing import add_prepare, built, commands_for_missing
from openstl_ext.flags.arguments import TRAIN

if TYPE_CHECKING:
    from mmengine.config import Config

NEWEST = ("latest", "latest.pth")
"""Names of the newest checkpoint of the work directory, where no file has them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_config(parser, flags=TRAIN)
    add_run(parser)
    add_prepare(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const=True,
        metavar="CHECKPOINT",
        help="continue the run of the work directory, from its newest checkpoint (latest, the "
        "default) or this one; auto starts it if there is none, and ends at once if it is finished",
    )
    parser.add_argument("--amp", action="store_true", help="train in bfloat16, on any device")
    parser.add_argument("--test", action="store_true", help="test the best checkpoint at the end")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="build all parts, print the merged config and the shapes of one batch, and stop; with "
        "--prepare, name the commands that it would run",
    )
    parser.add_argument("--list", action="store_true", help="same as openstl-ext list")


def run(args: argparse.Namespace) -> None:
    """Train."""
    if args.list:
        cli.call(["list"])
        return
    if args.config is None and is_config(args.resume):  # --resume CONFIG
        args.config, args.resume = args.resume, True
    require_config(args)
    cfg = load_config(args)
    from openstl_ext.engine.run_checks import (
        require_test,
        require_training,
    )  # late: a typo needs no torch

    require_training(cfg)
    if args.test:
        require_test(cfg)
    if args.dry_run:
        describe(cfg, args)
        return
    is_newest = args.resume in NEWEST and not Path(args.resume).exists()
    cfg.resume = is_newest or args.resume or cfg.get("resume", False)
    runner = built(cfg, args)
    runner.is_tested_next = args.test
    runner.train()
    if not args.test:
        return
    from openstl_ext.hooks.result import record_of_best

    record = record_of_best(runner) if runner.train_loop.is_finished else None
    if record is None:
        runner.test()
    else:
        runner.logger.info(f"the test is done, too: its result is {record}")


def is_config(word: Any) -> bool:
    """Return whether the word after ``--resume`` is no checkpoint, so that CONFIG is meant."""
    if not isinstance(word, str) or word in ("auto", *NEWEST):
        return False
    return word.endswith(".py") or (not word.endswith(".pth") and not Path(word).is_file())


def describe(cfg: "Config", args: argparse.Namespace) -> None:
    """Print the merged config and the shapes of the first batch; build all parts, write nothing.

    With ``--prepare``, missing data are not made: their commands are printed in place of shapes.
    """
    import tempfile

    from openstl_ext.engine.runner import build

    commands = commands_for_missing(cfg, args) if args.prepare else []
    cli.print_line(cfg.pretty_text)
    if commands:
        cli.print_line("\n  ".join(["--prepare would run, before the training:", *commands]))
        return
    # one batch needs no workers; those of a loader that is left open would keep the process alive
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
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
