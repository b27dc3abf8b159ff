"""Print the results below some folders as a table, and write it as Markdown, CSV and JSON.

It reads only result.json files, so it needs no torch. ::

    python tools/leaderboard.py work_dirs --out leaderboard.md
    python tools/leaderboard.py work_dirs other/work_dirs --out tables --format csv,json
    python tools/leaderboard.py work_dirs --metrics mse_sum 'ssim@*'
"""

import argparse
import sys
from pathlib import Path

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import UserError, nearest
from openstl_ext.results.board import board_of
from openstl_ext.results.writers import writers


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", metavar="WORK_DIRS", help="looked through, any depth")
    parser.add_argument("--out", type=Path, help="a file (its suffix is the format), or a folder")
    parser.add_argument(
        "--metrics", nargs="+", default=(), help="columns in order; * stands for anything"
    )
    parser.add_argument(
        "--format", default="md,csv,json", help="formats written into a folder (%(default)s)"
    )
    parser.add_argument("--strict", action="store_true", help="fail if a file cannot be read")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Print and write."""
    args = parse(argv)
    try:
        one = args.out and args.out.suffix and not args.out.is_dir()
        formats = [args.out.suffix[1:]] if one else [f for f in args.format.split(",") if f]
        for name in formats:
            if name not in writers():
                raise UserError(f"cannot write {name!r}; {nearest(name, writers())}")
        board = board_of(args.folders, args.metrics)
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # arrows, on Windows
        sys.stdout.write(writers()["md"](board))
        for name in formats if args.out else ():
            path = args.out if one else args.out / f"leaderboard.{name}"
            atomic_write(path, writers()[name](board).encode())
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")
    for problem in board.problems:
        print(f"warning: not read: {problem}", file=sys.stderr)
    return int(args.strict and bool(board.problems))


if __name__ == "__main__":
    sys.exit(main())
