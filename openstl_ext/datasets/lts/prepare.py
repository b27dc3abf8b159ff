"""Prepare long time series of satellite images: patches, statistics, verification."""

import argparse
from argparse import ArgumentParser, Namespace
from dataclasses import fields
from pathlib import Path
from typing import Any

from openstl_ext.datasets.lts.convert import ConversionSettings, convert
from openstl_ext.datasets.lts.files import STATISTICS, open_patches, open_series, size_of
from openstl_ext.datasets.lts.metadata import FILE as FACTS
from openstl_ext.datasets.lts.metadata import PREPARE
from openstl_ext.datasets.lts.patches import BLOCKS
from openstl_ext.datasets.lts.report import verify
from openstl_ext.datasets.lts.split import FORMS, SHARES, CutSettings, cut
from openstl_ext.datasets.lts.statistics import measure, span, training_blocks, with_data
from openstl_ext.datasets.preparation import Preparation, prepare, run_subcommand
from openstl_ext.datasets.synthetic.landscape import write
from openstl_ext.errors import ConfigError
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.statistics import Statistics


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``openstl-ext data`` for this dataset."""
    parser.set_defaults(do=_miniature)
    _add_root(parser)
    parser.add_argument(
        "--miniature", action="store_true", help="write a small synthetic landscape in all forms"
    )
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, run_it, text, add in (
        ("cut", _cut, "cut a series with its label into patches", _add_cut),
        ("convert", _convert, "convert the files of ST-Mamba", _add_convert),
        (
            "statistics",
            _statistics,
            "mean and standard deviation of bands in training",
            _add_statistics,
        ),
        ("verify", _verify, "count pixels, and compare the splits", _add_verify),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(do=run_it)
        add(command)


def run(args: Namespace) -> None:
    """Run a subcommand."""
    run_subcommand(args)


def _add_root(parser: ArgumentParser, default: Any = Path("data/lts")) -> None:
    parser.add_argument("--root", type=Path, default=default, help="folder of the data (data/lts)")


def _add_cut(parser: ArgumentParser) -> None:
    add, usual = parser.add_argument, CutSettings()
    # no default: that of a subcommand would replace a value given before its name
    _add_root(parser, argparse.SUPPRESS)
    add("--source", type=Path, metavar="FOLDER", help="series with its label; --root if not given")
    add(
        "--form", choices=FORMS, default=FORMS[0], help="corners, or a file per patch (%(default)s)"
    )
    add("--patch-size", type=int, default=usual.patch_size, help="pixels (%(default)s)")
    add("--stride", type=int, help="pixels between training patches; a patch size if not given")
    add("--block-size", type=int, help="pixels of a block; eight patches if not given")
    add("--buffer", type=int, default=usual.buffer, help="pixels between splits (%(default)s)")
    add("--shares", type=float, nargs=3, default=list(SHARES.values()), metavar="SHARE")
    add("--seed", type=int, default=usual.seed, help="seed of the split (%(default)s)")
    add(
        "--negative-ratio",
        type=float,
        metavar="R",
        help="keep R background patches per patch with a site, in training; ST-Mamba uses 0.01",
    )
    add("--balance-all-splits", action="store_true", help="also in val and test, as ST-Mamba does")
    add("--ignore-index", type=int, default=usual.ignore_index, help="label of unknown pixels")
    _add_years(parser)
    add("--workers", type=int, default=1, help="number of processes (%(default)s)")


def _add_years(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--years",
        dest="num_years",
        type=int,
        metavar="N",
        help="the newest N years; all if not given",
    )


def _add_convert(parser: ArgumentParser) -> None:
    add = parser.add_argument
    _add_root(parser, argparse.SUPPRESS)
    add("--source", type=Path, required=True, metavar="FOLDER", help="folder of the files")
    add("--bands", nargs="+", default=[], metavar="NAME", help="in the order of the array")
    add(
        "--years",
        nargs="+",
        default=["1990-2011", "2013-2024"],
        metavar="YEAR",
        help="years of the images, such as 1990-2011 2013-2024 (the default)",
    )
    add("--patch-size", type=int, default=128, help="size at the corners, in pixels (%(default)s)")
    add("--nodata", type=float, help="stored number that means missing; NaN always does")
    add("--scale", type=float, default=1.0, help="a value is the stored number times this")
    add("--unit", default="1", help="unit of the values")
    add("--ignore-index", type=int, default=255, help="label of unknown pixels (%(default)s)")


def _add_statistics(parser: ArgumentParser) -> None:
    _add_root(parser, argparse.SUPPRESS)
    parser.add_argument(
        "--bands", nargs="+", metavar="NAME", help="names in order; all if not given"
    )
    _add_years(parser)
    parser.add_argument(
        "--patch-size", type=int, help=f"pixels, used without blocks; that of {FACTS} if not given"
    )
    parser.add_argument("--out", type=Path, help=f"{STATISTICS} in the root if not given")


def _add_verify(parser: ArgumentParser) -> None:
    _add_root(parser, argparse.SUPPRESS)
    parser.add_argument("--patch-size", type=int, help=f"pixels; that of {FACTS} if not given")
    parser.add_argument("--ignore-index", type=int, default=255, help="label of unknown pixels")


def _miniature(args: Namespace) -> list[str]:
    if not args.miniature:
        raise ConfigError("give cut, convert, statistics, verify or --miniature; see --help")
    prepare(PREPARATION, args.root, Namespace(miniature=True))
    return [f"verify it: {PREPARE} verify --root {args.root} --patch-size 32"]


def _cut(args: Namespace) -> list[str]:
    names = {field.name for field in fields(CutSettings)} - {"shares"}
    shares = dict(zip(SHARES, args.shares, strict=True))
    settings = CutSettings(shares=shares, **{name: getattr(args, name) for name in names})
    source = args.source or args.root
    return cut(source, args.root, settings, form=args.form, workers=args.workers)


def _convert(args: Namespace) -> list[str]:
    names = {field.name for field in fields(ConversionSettings)} - {"bands", "years"}
    settings = ConversionSettings(
        bands=tuple(args.bands),
        years=years_of(args.years),
        **{name: getattr(args, name) for name in names},
    )
    return convert(args.source, args.root, settings)


def _statistics(args: Namespace) -> list[str]:
    blocks = args.root / BLOCKS
    if blocks.is_file() and not (args.root / "splits").is_dir():
        series, source = open_series(args.root), "the training blocks"
        facts, places = series.facts, series.facts.places(args.bands)
        years = facts.newest(args.num_years)
        pieces = training_blocks(series, BlockSplit.read(blocks), places, years)
    else:
        size = size_of(args.root) if args.patch_size is None else args.patch_size
        patches, source = open_patches(args.root, "train", size), "the training patches"
        facts, places = patches.facts, patches.facts.places(args.bands)
        years = facts.newest(args.num_years)
        indices = tracked(range(len(patches.names)), "statistics", "patches")
        pieces = (patches.frames(i, years, places) for i in indices)
    pieces = with_data(pieces, facts.years[years], args.root, zero=facts.offset)
    found = measure(pieces, [facts.bands[place] for place in places])
    out = args.out or args.root / STATISTICS
    about = {"taken from": f"{source}, {span(facts.years[years])}"}
    Statistics(groups={"frames": found}, about=about).write(out)
    return [f"{out}: {', '.join(found.names)} of {source}"]


def _verify(args: Namespace) -> list[str]:
    return verify(args.root, args.patch_size, ignore_index=args.ignore_index)


def years_of(texts: list[str]) -> tuple[int, ...]:
    """Parse years such as 1990 or 1990-2011.

    Raises:
        ConfigError: If a text is neither.
    """
    years: list[int] = []
    for text in texts:
        first, _, last = text.partition("-")
        if not (first.isdigit() and (last or first).isdigit()):
            raise ConfigError(f"{text!r} is neither a year nor a range of years such as 1990-2011")
        years += range(int(first), int(last or first) + 1)
    return tuple(years)


def _write(root: Path, form: str | None) -> None:
    del form
    write(root)


def _fetch(root: Path, source: Path | None, form: str | None) -> None:
    del root, source, form
    raise ConfigError("the published images and labels are not public; cut or convert yours")


PREPARATION = Preparation(
    name="LTS",
    root="data/lts",
    dataset="LTSSegmentation",
    fetch=_fetch,
    miniature=_write,
    bytes_needed=0,
)
