"""Write the mean training target of a config, from which AnomalyCorrelation counts.

::

    openstl-ext data climatology CONFIG --out climatology.npy
"""

import argparse
from pathlib import Path

from openstl_ext import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("config", metavar="CONFIG", help="a name or a path")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npy")
    parser.add_argument(
        "--by-lead", action="store_true", help="a mean for each lead instead of one for all"
    )


def run(args: argparse.Namespace) -> None:
    """Average the targets of the training samples over samples and leads; gaps do not count."""
    import numpy as np

    from openstl_ext.atomic_io import atomic_file
    from openstl_ext.config import load
    from openstl_ext.engine.randomness import ITEM, seed_everything
    from openstl_ext.errors import ConfigError
    from openstl_ext.output_path import check_file
    from openstl_ext.progress_line import tracked
    from openstl_ext.registry import DATASETS

    check_file(args.out, option="--out", suffixes=(".npy",))
    loader = load(args.config).get("train_dataloader")
    if loader is None:
        raise ConfigError(f"{args.config} has no train_dataloader, so it has no training targets")
    dataset = DATASETS.build(loader.dataset)
    total, number = np.zeros(()), np.zeros(())
    for index in tracked(range(len(dataset)), "averaging training targets", "samples"):
        seed_everything(0, ITEM, 0, index)  # a sample may be drawn when it is read
        target = dataset[index]["data_samples"]
        if "frames" not in target:
            raise ConfigError(f"{args.config} has labels as targets; a climatology is of frames")
        frames = target["frames"].double().numpy()
        valid = target["valid"].numpy() if "valid" in target else np.isfinite(frames)
        total = total + np.where(valid, frames, 0.0)
        number = number + valid
    if not args.by_lead:
        total, number = total.sum(axis=0), number.sum(axis=0)
    with np.errstate(invalid="ignore"):
        mean = (total / number).astype(np.float32)
    with atomic_file(args.out) as file:
        np.lib.format.write_array(file, mean, allow_pickle=False)
    cli.print_line(f"mean of {len(dataset)} training samples, {mean.shape}: {args.out}")
