"""Pack a folder of samples into one array, which is read many times faster."""

import argparse
import sys
from pathlib import Path

from openstl_ext.datasets.layout.pack import pack_folders
from openstl_ext.errors import UserError


def main() -> None:
    """Parse, and call the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data_path", type=Path, required=True, help="folder of the samples")
    args = parser.parse_args()
    try:
        pack = pack_folders(args.data_path)
    except UserError as error:
        sys.exit(f"error: {error}")
    print(f"packed {len(pack.rows)} samples into one array of shape {pack.shape}")


if __name__ == "__main__":
    main()
