"""Evaluate a trained model on the test split.

::

    openstl-ext test boiling/simvp_gsta_small
    openstl-ext test boiling/simvp_gsta_small some/checkpoint.pth --save-predictions
    openstl-ext test work_dirs/my_run

The options of the training are read from the checkpoint. Another model or training than that of
the checkpoint is refused; other test data or metrics are stated with --cfg-options, and marked.
"""

import argparse

from openstl_ext.commands.arguments import (
    add_config,
    add_run,
    load_trained_config,
    require_config,
)
from openstl_ext.commands.preparing import add_prepare, built
from openstl_ext.config import load
from openstl_ext.errors import ConfigError
from openstl_ext.flags.arguments import TEST


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_config(parser, flags=TEST)
    parser.add_argument(
        "checkpoint",
        nargs="?",
        metavar="CHECKPOINT",
        help="a file, or best or latest of the work directory (default: best, by the validation "
        "score; none where nothing is trained)",
    )
    add_run(parser)
    add_prepare(parser)
    parser.add_argument(
        "--save-predictions",
        action="store_true",
        help="write inputs, targets and predictions below saved/ in the work directory",
    )
    parser.add_argument(
        "--no-members",
        action="store_true",
        help="save an ensemble without its members, which take most of the space",
    )
    parser.add_argument(
        "--check-metrics",
        type=int,
        metavar="N",
        help="compare SSIM and PSNR with scikit-image on N samples, and print the difference",
    )


def run(args: argparse.Namespace) -> None:
    """Test."""
    require_config(args)
    if args.no_members and not args.save_predictions:
        raise ConfigError("--no-members is an option of --save-predictions; give both")
    which = "named" if args.checkpoint else "best of the work directory"
    from openstl_ext.engine.run_checks import require_test
    from openstl_ext.engine.trained import check_data, check_training

    cfg, trained = load_trained_config(args, check=require_test, needs_weights=False)
    if trained is not None:
        own = [entry for entry in cfg.overrides if entry not in trained.overrides]
        own += [] if args.seed is None else [f"seed={args.seed}"]
        repeated = load(args.config, trained.overrides, seed=trained.seed)
        check_training(trained, cfg, repeated, name=f"{args.checkpoint} with {args.config}")
    cfg.load_from = args.checkpoint
    if args.save_predictions:
        saving = {"type": "PredictionsHook", "members": not args.no_members}
        cfg.custom_hooks = [*cfg.get("custom_hooks", []), saving]
    if args.check_metrics is not None:
        check = {"type": "MetricCheckHook", "num_samples": args.check_metrics}
        cfg.custom_hooks = [*cfg.get("custom_hooks", []), check]
    runner = built(cfg, args, train=False)
    log = runner.logger
    if args.checkpoint is None:
        which = "nothing is trained"
    elif trained is None:
        log.warning("the checkpoint does not state its training, so the record marks it as unknown")
    else:
        check_data(trained, runner, own)
        if trained.overrides:
            log.info(f"options of the training: --cfg-options {' '.join(trained.overrides)}")
    log.info(f"testing {cfg.load_from or cfg.identity} ({which})")
    runner.test()
