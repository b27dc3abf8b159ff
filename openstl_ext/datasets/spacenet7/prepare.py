"""Write the lists of areas for train, val and test of SpaceNet 7."""

import argparse
from pathlib import Path

from openstl_ext.datasets.spacenet7.files import write_splits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``openstl-ext data`` for this dataset."""
    parser.add_argument(
        "--root", type=Path, default=Path("data/spacenet7"), help="folder of the set (%(default)s)"
    )


def run(args: argparse.Namespace) -> None:
    """Write the lists; the same folders give the same lists."""
    print("\n".join(write_splits(args.root)))
