"""Pack a folder of samples into one array, which is read many times faster."""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.datasets.formats.packed import pack_folders


def main() -> None:
    """Parse, and call the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_path", type=Path, required=True, help="folder of the samples")
    args = parser.parse_args()
    pack = pack_folders(args.data_path)
    print(f"packed {len(pack.rows)} samples into one array of shape {pack.shape}")


if __name__ == "__main__":
    cli.run(main)
