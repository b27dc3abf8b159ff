"""Evaluate a trained model on the test split.

::

    openstl-ext test boiling/simvp_gsta_small
    openstl-ext test boiling/simvp_gsta_small some/checkpoint.pth --save-predictions
"""

import argparse

from openstl_ext.commands.arguments import add_config, add_run, load_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_config(parser)
    parser.add_argument(
        "checkpoint",
        nargs="?",
        metavar="CHECKPOINT",
        help="default: the one of the work directory with the best validation score",
    )
    add_run(parser)
    parser.add_argument(
        "--save-predictions",
        action="store_true",
        help="write inputs, targets and predictions below saved/ in the work directory",
    )


def run(args: argparse.Namespace) -> None:
    """Test."""
    cfg = load_config(args)
    from openstl_ext.engine import checkpoint
    from openstl_ext.engine.runner import build, require_test

    require_test(cfg)
    cfg.load_from = str(args.checkpoint or checkpoint.best(cfg.work_dir))
    if args.save_predictions:
        cfg.custom_hooks = [*cfg.get("custom_hooks", []), {"type": "PredictionsHook"}]
    runner = build(cfg, train=False)
    which = "named" if args.checkpoint else "best of the work directory"
    runner.logger.info(f"testing {cfg.load_from} ({which})")
    runner.test()
