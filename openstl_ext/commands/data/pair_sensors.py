"""Write the list of pairs of images of one place by two sensors, for pre-training."""

import argparse
from pathlib import Path

from openstl_ext import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    sets = parser.add_subparsers(metavar="SET", required=True, dest="set")
    text = "fMoW-RGB with fMoW-Sentinel: per location the two images whose times are nearest"
    fmow = _added(sets, "fmow", text)
    fmow.add_argument("--rgb", default="fmow-rgb", help="folder in the root (%(default)s)")
    fmow.add_argument("--sentinel", default="fmow-sentinel", help="the same (%(default)s)")
    text = "BigEarthNet v1: patches of Sentinel-2 with those of Sentinel-1"
    patches = _added(sets, "bigearthnet", text)
    add = patches.add_argument
    add("--s2", default="BigEarthNet-v1.0", help="folder in the root (%(default)s)")
    add("--s1", default="BigEarthNet-S1-v1.0", help="the same (%(default)s)")
    add("--csv", type=Path, help="lines s2,s1 of the split; the metadata of all patches if omitted")


def _added(sets: argparse._SubParsersAction, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = sets.add_parser(name, help=text, description=text)
    add = parser.add_argument
    add("--root", type=Path, required=True, help="folder to which the paths in the list refer")
    add("--split", default="train", help="part of the set, and of the name of the list")
    add("--out", type=Path, help=f"the list; <root>/{name}_<split>.txt if omitted")
    return parser


def run(args: argparse.Namespace) -> None:
    """Write the list."""
    from openstl_ext.datasets.sensor_pairs.pair_list import write_pair_list
    from openstl_ext.datasets.sensor_pairs.pairing import pair_bigearthnet, pair_fmow

    if args.set == "fmow":
        pairs = pair_fmow(args.root, args.rgb, args.sentinel, args.split)
    else:
        pairs = pair_bigearthnet(args.root, args.s2, args.s1, args.csv)
    out = args.out or args.root / f"{args.set}_{args.split}.txt"
    write_pair_list(out, pairs)
    cli.print_line(f"{out}: {len(pairs)} pairs, such as {' and '.join(pairs[0])}")
