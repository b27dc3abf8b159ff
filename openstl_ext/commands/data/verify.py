"""Compare the files of a prepared folder with their checksums in SHA256SUMS."""

import argparse
from pathlib import Path

from openstl_ext import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("--data_path", "--root", type=Path, required=True, help="folder of the data")
    add("--write", action="store_true", help="write the checksums of the present files instead")


def run(args: argparse.Namespace) -> None:
    """Compare, or write."""
    from openstl_ext.datasets.formats import checksums

    if args.write:
        lines = [
            *checksums.write_checksums(args.data_path),
            f"wrote {args.data_path / checksums.NAME}",
        ]
    else:
        lines = checksums.verify_checksums(args.data_path)
    cli.print_line("\n".join(lines))
