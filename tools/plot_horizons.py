"""Plot a score against how far ahead it is, for runs and for the forecasts that cost nothing.

It reads only result.json files, so it needs no torch. ::

    python tools/plot_horizons.py work_dirs/human_modification --metric mae --out horizons.png
    python tools/plot_horizons.py work_dirs/a/seed_0 work_dirs/b/seed_0 --metric coverage

Runs that were judged in different ways come into plots of their own, side by side.
"""

import argparse
import sys
from pathlib import Path

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import UserError
from openstl_ext.results.board import board_of
from openstl_ext.results.horizons import plots_of


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", metavar="WORK_DIRS", help="looked through, any depth")
    parser.add_argument("--metric", default="mae", help="such as mae or ssim (%(default)s)")
    parser.add_argument("--out", type=Path, help="a PNG (horizons_<metric>.png)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Write the picture and say where it is."""
    args = parse(argv)
    try:
        board = board_of(args.folders, ["*"])
        plots = plots_of(board, args.metric)
        from openstl_ext.visualization.error_curve import draw_error_curves  # a second, for fonts

        path = args.out or Path(f"horizons_{args.metric}.png")
        if path.suffix != ".png":
            raise UserError(f"cannot write {path}: the picture is a PNG, so name it .png")
        atomic_write(path, draw_error_curves(plots))
        print(path)
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")
    for problem in board.problems:
        print(f"warning: not read: {problem}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
