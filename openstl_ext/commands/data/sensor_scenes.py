"""Write synthetic land as seen by several sensors: pairs for pre-training, scenes by class."""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.errors import DataError
from openstl_ext.folder_lock import sole_writer
from openstl_ext.leftovers import entries


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("--root", type=Path, default=Path("data/sensor_scenes"), help="folder (%(default)s)")
    add("--num_pairs", type=_count, default=1000, help="training pairs of a set (%(default)s)")
    add("--num_scenes", type=_count, default=200, help="training scenes of a sensor (%(default)s)")
    add("--side", type=float, default=320, help="side of a scene in metres (%(default)s)")
    add("--seed", type=int, default=0, help="same seed, same land (%(default)s)")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def run(args: argparse.Namespace) -> None:
    """Write the files."""
    from openstl_ext.datasets.formats.checksums import write_checksums
    from openstl_ext.datasets.synthetic.marker import is_marked
    from openstl_ext.datasets.synthetic.sensor_scenes import SceneSize, write_world

    if args.root.is_dir() and entries(args.root) and not is_marked(args.root):
        raise DataError(
            f"{args.root} has files that are not marked as synthetic; choose another --root"
        )
    with sole_writer(args.root, "writing of synthetic scenes"):
        size = SceneSize(side=args.side, seed=args.seed)
        write_world(args.root, num_pairs=args.num_pairs, num_scenes=args.num_scenes, size=size)
        write_checksums(args.root)
    cli.print_line(
        f"{args.root}: SYNTHETIC pairs in optical and radar, scenes of three sensors in scenes"
    )
