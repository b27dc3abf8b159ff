"""Make data that are missing, where a command can, and build a run then."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from openstl_ext import cli
from openstl_ext.errors import ConfigError, DatasetNotFoundError, UserError

if TYPE_CHECKING:
    from mmengine.config import Config

    from openstl_ext.engine.runner import Runner


def add_prepare(parser: argparse.ArgumentParser) -> None:
    """Add the argument that makes missing data."""
    parser.add_argument(
        "--prepare",
        action="store_true",
        help="make or fetch missing data first, with the commands that the error would give",
    )


def built(cfg: "Config", args: argparse.Namespace, *, train: bool = True) -> "Runner":
    """Build a run; with ``--prepare``, make the data that are missing.

    Raises:
        UserError: If data are missing; it offers ``--prepare`` where a command makes them.
        ConfigError: If several processes are to prepare.
    """
    from openstl_ext.engine.runner import build

    check_one_process(args)
    tried: set[str] = set()
    while True:
        try:
            runner = build(cfg, train=train)
        except DatasetNotFoundError as error:
            missing = error
        else:
            statistics = missing_statistics(cfg) if train else None
            if statistics is None or not args.prepare:
                return runner
            missing = statistics
        if not args.prepare and missing.commands:
            raise UserError(f"{missing}; or add --prepare, which runs it first") from missing
        if not args.prepare or not missing.commands or missing.prepare in tried:
            raise missing
        tried.add(missing.prepare)
        for words in missing.commands:
            cli.print_line(f"== openstl-ext data {' '.join(words)}")
            cli.call(["data", *words])


def check_one_process(args: argparse.Namespace) -> None:
    """Check that one process prepares the data.

    Raises:
        ConfigError: If several would.
    """
    if args.prepare and args.launcher != "none":
        raise ConfigError(
            "--prepare works in one process; call the same command without a launcher once, or the "
            "commands of the error"
        )


def commands_for_missing(cfg: "Config", args: argparse.Namespace) -> list[str]:
    """Return the commands that make the data which are missing now; nothing is made.

    Raises:
        DatasetNotFoundError: If some are missing that no command makes.
    """
    from openstl_ext.flags.parts import datasets
    from openstl_ext.registry import DATASETS

    check_one_process(args)
    missing = []
    for part in datasets(cfg.to_dict()):
        try:
            DATASETS.build(dict(part.settings))
        except DatasetNotFoundError as error:
            missing.append(error)
    if (statistics := missing_statistics(cfg)) is not None:
        missing.append(statistics)
    if by_hand := [one for one in missing if not one.commands]:
        raise by_hand[0]
    commands = [shlex.join(words) for one in missing for words in one.commands]
    return [f"openstl-ext data {command}" for command in dict.fromkeys(commands)]


def missing_statistics(cfg: "Config") -> DatasetNotFoundError | None:
    """Return the error of a training without the file of statistics that its config names."""
    given = cfg.model.get("data_preprocessor") or {}
    path, prepare = given.get("statistics"), given.get("prepare")
    if path is None or prepare is None or Path(path).is_file():
        return None
    return DatasetNotFoundError(path, prepare=prepare)
