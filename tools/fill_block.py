"""Replace a marked block of a Markdown file by the standard input.

::

    python tools/leaderboard.py work_dirs | python tools/fill_block.py README.md demo

replaces the text between ``<!-- demo -->`` and ``<!-- /demo -->``, and nothing else.
"""

import argparse
import sys
from pathlib import Path

from openstl_ext.atomic_io import atomic_write


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="the Markdown file")
    parser.add_argument("name", help="of the block")
    return parser.parse_args()


def main() -> None:
    """Replace the block."""
    args = parse()
    start, end = f"<!-- {args.name} -->", f"<!-- /{args.name} -->"
    text = args.file.read_text(encoding="utf-8") if args.file.is_file() else ""
    before, opened, rest = text.partition(start)
    _, closed, after = rest.partition(end)
    if not (opened and closed):
        sys.exit(f"error: {args.file} has no block {start} ... {end}; write both lines there")
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # arrows, on Windows
    content = sys.stdin.read().strip()
    if not content:  # the command before the pipe has failed
        sys.exit(f"error: standard input is empty; block {start} of {args.file} stays as it is")
    atomic_write(args.file, f"{before}{start}\n\n{content}\n\n{end}{after}".encode())


if __name__ == "__main__":
    main()
