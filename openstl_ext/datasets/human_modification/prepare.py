"""Prepare rasters of the Human Modification index: split, statistics, verification."""

import argparse
from argparse import ArgumentParser, Namespace
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from openstl_ext.datasets.human_modification.files import PREPARE
from openstl_ext.datasets.human_modification.rasters import (
    LIMITS,
    PRESSURES,
    STATICS,
    YEARS,
    HMChoice,
)
from openstl_ext.datasets.human_modification.report import verify
from openstl_ext.datasets.human_modification.split import SHARES, SplitSettings, draw_split
from openstl_ext.datasets.human_modification.statistics import find_values, measure_training
from openstl_ext.datasets.preparation import Preparation, prepare, run_subcommand
from openstl_ext.datasets.synthetic.continent_files import MINIATURE, SIMPLE_VALUES, write
from openstl_ext.errors import ConfigError
from openstl_ext.progress_line import print_status

VERSIONS = {
    "simple": HMChoice(target="HM", static=("elevation",)),
    "direct": HMChoice(target="AA", dynamic=PRESSURES, static=STATICS),
}
"""Rasters of the two published versions."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the arguments of ``openstl-ext data`` for this dataset."""
    parser.set_defaults(do=_miniature)
    _add_root(parser)
    parser.add_argument(
        "--miniature", action="store_true", help="write a small synthetic continent"
    )
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, run_it, text, add in (
        ("split", _split, "assign blocks to train, val, test and calibration", _add_split),
        (
            "statistics",
            _statistics,
            "mean and standard deviation in the training blocks",
            _add_statistics,
        ),
        ("verify", _verify, "read every raster, and compare the splits", _add_verify),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(do=run_it)
        # no default: that of a subcommand would replace a value given before its name
        _add_root(command, argparse.SUPPRESS)
        _add_choice(command)
        add(command)


def run(args: Namespace) -> None:
    """Run a subcommand."""
    run_subcommand(args)


def _add_root(parser: ArgumentParser, default: Any = Path("data/human_modification")) -> None:
    parser.add_argument(
        "--root", type=Path, default=default, help="folder of the data (data/human_modification)"
    )


def _add_choice(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--version",
        choices=VERSIONS,
        default="simple",
        help="published version of the rasters (%(default)s)",
    )
    add("--target", metavar="NAME", help="target, if not that of the version")
    add(
        "--dynamic",
        nargs="*",
        metavar="NAME",
        help="covariates with a raster per year, if not those of the version",
    )
    add(
        "--static", nargs="*", metavar="NAME", help="static covariates, if not those of the version"
    )
    add("--years", nargs="+", type=int, default=YEARS, metavar="YEAR", help="1990 to 2020")
    add(
        "--values",
        choices=LIMITS,
        help="range of the target; found in the newest year if not given",
    )
    add("--zero-where-missing", nargs="*", metavar="NAME", help="covariates whose gaps mean 0")
    add(
        "--files",
        default="*",
        metavar="PATTERN",
        help="file names to consider, such as *_1000.tiff",
    )


def _add_split(parser: ArgumentParser) -> None:
    add, usual = parser.add_argument, SplitSettings()
    add("--chip-size", type=int, default=usual.chip_size, help="pixels (%(default)s)")
    add("--buffer", type=int, default=usual.buffer, help="pixels between splits (%(default)s)")
    add("--block-size", type=int, help="pixels; chip and two buffers if not given")
    add("--shares", type=float, nargs=4, default=list(SHARES.values()), metavar="SHARE")
    add("--seed", type=int, default=usual.seed, help="seed of the split (%(default)s)")
    add(
        "--min-valid",
        type=float,
        default=usual.min_valid,
        help="smallest share of known pixels of a block in the newest year (%(default)s)",
    )


def _add_statistics(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, help="statistics_<version>.json in the root if not given"
    )


def _add_verify(parser: ArgumentParser) -> None:
    parser.add_argument("--chip-size", type=int, help="pixels; that of the split if not given")


def _choice(args: Namespace) -> HMChoice:
    """Return the selection of rasters of the arguments."""
    names = ("target", "dynamic", "static", "zero_where_missing")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    choice = replace(VERSIONS[args.version], **given, years=args.years, files=args.files)
    return replace(choice, values=args.values or find_values(args.root, choice))


def _miniature(args: Namespace) -> list[str]:
    if not args.miniature:
        raise ConfigError("give split, statistics, verify or --miniature; see --help")
    prepare(PREPARATION, args.root, Namespace(miniature=True))
    return [f"verify it: {PREPARE} verify --root {args.root} --values {SIMPLE_VALUES}"]


def _split(args: Namespace) -> list[str]:
    names = {field.name for field in fields(SplitSettings)} - {"shares"}
    shares = dict(zip(SHARES, args.shares, strict=True))
    settings = SplitSettings(shares=shares, **{name: getattr(args, name) for name in names})
    choice = _choice(args)
    lines = draw_split(args.root, choice, settings)
    return [*lines, f"range of {choice.target}: {choice.values}"]


def _statistics(args: Namespace) -> list[str]:
    found = measure_training(args.root, _choice(args))
    out = args.out or args.root / f"statistics_{args.version}.json"
    found.write(out)
    lines = [
        f"{name}: mean {mean:.6g}, std {std:.6g}, {count} values"
        for group in found.groups.values()
        for name, mean, std, count in zip(
            group.names, group.mean, group.std, group.count, strict=True
        )
    ]
    return [*lines, f"{out}: {found.about['taken from']}"]


def _verify(args: Namespace) -> list[str]:
    return verify(args.root, _choice(args), chip_size=args.chip_size)


def _write(root: Path, form: str | None) -> None:
    del form
    for line in write(root, MINIATURE):
        print_status(f"  {line}")


def _fetch(root: Path, source: Path | None, form: str | None) -> None:
    del root, source, form
    raise ConfigError("download the rasters from Zenodo, record 16907328, to --root")


PREPARATION = Preparation(
    name="Human Modification",
    root="data/human_modification",
    dataset="HumanModification",
    fetch=_fetch,
    miniature=_write,
    bytes_needed=0,
)
