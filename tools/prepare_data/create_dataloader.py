"""Split the samples of a folder into train, validation and test, in a ``<id>_loaders.json``."""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.datasets.formats.folder_split import SplitRecipe, create_loaders


def main() -> None:
    """Parse, and call the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--data_path", type=Path, required=True, help="folder of the samples")
    add("--train_ratio", type=float, default=0.7, help="share to train on (%(default)s)")
    add("--val_ratio", type=float, default=0.15, help="share to validate on (%(default)s)")
    add("--total_length", type=int, default=0, help="frames of each sample, 0 for all")
    add("--num_samples", type=int, help="draw so many samples; all if not given")
    add("--sample_start_index", type=int, default=0, help="first frame, -1 draws it (%(default)s)")
    add("--init_final_only", action="store_true", help="keep the first and the last frame only")
    add("--reverse", action="store_true", help="turn time round")
    add("--seed", type=int, default=0, help="same seed, same splits (%(default)s)")
    options = vars(parser.parse_args())
    root = options.pop("data_path")
    path, lines = create_loaders(root, SplitRecipe(**options))
    print("\n".join([*lines, f"loader file: {path}"]))


if __name__ == "__main__":
    cli.run(main)
