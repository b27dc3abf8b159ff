"""Check that all patches of BigEarthNet are there, or write a small synthetic set."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from openstl_ext.datasets.base import SPLITS
from openstl_ext.datasets.bigearthnet import lists, metadata
from openstl_ext.datasets.bigearthnet.patches import TABLES, Patch, PatchFolders
from openstl_ext.datasets.bigearthnet.toy import write_toy
from openstl_ext.datasets.preparation import run_subcommand
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.marker import MARK, is_marked
from openstl_ext.errors import DataError
from openstl_ext.leftovers import entries
from openstl_ext.progress_line import tracked


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``openstl-ext data`` for this set."""
    parser.set_defaults(do=_verify)
    add = parser.add_argument
    add("--root", type=Path, default=Path("data/bigearthnet"), help="folder (%(default)s)")
    add("--version", type=int, choices=(1, 2), default=1, help="2 is reBEN (%(default)s)")
    add("--sensors", nargs="+", choices=TABLES, default=["sentinel2"], help="sensors to check")
    add(
        "--miniature",
        action="store_const",
        dest="do",
        const=_miniature,
        help="write a small synthetic set in the form of both versions",
    )


def run(args: Namespace) -> None:
    """Check the patches, or write a synthetic set."""
    run_subcommand(args)


def _verify(args: Namespace) -> list[str]:
    folders = PatchFolders(args.root, args.version, args.sensors)
    lines = []
    for split in SPLITS:
        if args.version == 1:
            patches = lists.read_patches(args.root, "official", split, args.sensors, ())
        else:
            patches = metadata.read_patches(args.root, split, ())
        _check_files(folders, patches, args.sensors)
        lines.append(f"{split}: {len(patches)} patches")
    return lines


def _check_files(folders: PatchFolders, patches: Sequence[Patch], sensors: Sequence[str]) -> None:
    """Raise an error that names the first patch without all files; none is read."""
    for sensor in sensors:
        bands = [band.name for band in Sensor.read(TABLES[sensor]).bands]
        for patch in tracked(patches, f"looking for {sensor}", "patches"):
            folders.band_files(sensor, patch.name(sensor), bands)


def _miniature(args: Namespace) -> list[str]:
    if entries(args.root) and not is_marked(args.root):
        raise DataError(
            f"{args.root} has files that are not marked as synthetic; choose another --root for "
            "the miniature"
        )
    write_toy(args.root)
    return [f"a small SYNTHETIC set in the form of BigEarthNet is in {args.root} (see {MARK})"]
