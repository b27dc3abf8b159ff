"""Pack the samples of a folder into one array, which is read many times faster."""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.folder_lock import sole_writer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--data_path", type=Path, required=True, help="folder of the samples")


def run(args: argparse.Namespace) -> None:
    """Write the array."""
    from openstl_ext.datasets.formats.checksums import write_checksums
    from openstl_ext.datasets.formats.packed import pack_folders

    with sole_writer(args.data_path, "packing of samples", create=False):
        pack = pack_folders(args.data_path)
        for line in write_checksums(args.data_path):
            cli.print_line(line)
    cli.print_line(f"packed {len(pack.rows)} samples into one array of shape {pack.shape}")
