"""Judge a trained model on the test split.

::

    python tools/test.py configs/boiling/simvp_gsta_small.py
    python tools/test.py configs/boiling/simvp_gsta_small.py some/checkpoint.pth --save-predictions
"""

import argparse

from openstl_ext import cli


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_config(parser)
    parser.add_argument(
        "checkpoint",
        nargs="?",
        metavar="CHECKPOINT",
        help="default: the one of the work directory that did best on the validation split",
    )
    cli.add_run(parser)
    parser.add_argument(
        "--save-predictions",
        action="store_true",
        help="write inputs, truth and forecasts below saved/ in the work directory",
    )
    return parser.parse_args()


def main() -> None:
    """Test."""
    args = parse()
    cfg = cli.load(args)
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


if __name__ == "__main__":
    cli.run(main)
