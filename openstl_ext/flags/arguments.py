"""Arguments of the short flags, and their values."""

import argparse
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

from openstl_ext.errors import ConfigError
from openstl_ext.flags.values import Flags

TRAIN = ("data", "frames_in", "frames_out", "size", "epochs", "batch_size", "lr", "name")
TEST = ("data", "frames_in", "frames_out", "size", "batch_size", "name")
RUNS = Path("work_dirs")
MOST = 1_000_000
"""Largest count; a larger one is a typing error."""


def add_flags(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """Add flags in a group of their own, which the help shows first.

    Args:
        parser: Parser of the command.
        names: Some of ``TRAIN``.
    """
    group = parser.add_argument_group(
        "short flags", "They set the keys that belong to them, in any config; stored as overrides."
    )
    groups = parser._action_groups
    groups.insert(0, groups.pop())
    kinds: dict[str, dict[str, Any]] = {
        "data": {
            "type": Path,
            "metavar": "DIR",
            "help": "folder of the data, or DIR/NAME_loaders.json; DIR/NAME is enough",
        },
        "frames_in": {"type": int, "metavar": "N", "help": "input frames"},
        "frames_out": {"type": int, "metavar": "N", "help": "frames to forecast"},
        "size": {
            "metavar": "N",
            "help": "height and width of frames in pixels; HxW if they differ",
        },
        "epochs": {"type": int, "metavar": "N", "help": "epochs; the schedule keeps its shape"},
        "batch_size": {"type": int, "metavar": "N", "help": "samples per batch and process"},
        "lr": {"type": float, "metavar": "RATE", "help": "learning rate; the peak of a schedule"},
        "name": {"metavar": "NAME", "help": f"name of the run, which lies in {RUNS}/NAME"},
    }
    for name in names:
        group.add_argument(f"--{name.replace('_', '-')}", dest=name, **kinds[name])
    parser.set_defaults(short_flags=tuple(names))  # other commands use some names otherwise


def flags_of(args: argparse.Namespace) -> Flags:
    """Return the flags of parsed arguments.

    Raises:
        ConfigError: If a number is out of range, or a size is none.
    """
    names = set(getattr(args, "short_flags", ())) & {field.name for field in fields(Flags)}
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    for name in given.keys() & {"frames_in", "frames_out", "epochs", "batch_size"}:
        if not 1 <= given[name] <= MOST:
            flag = name.replace("_", "-")
            raise ConfigError(f"--{flag} is {given[name]}; it must be from 1 to {MOST:,}")
    if not 0 < given.get("lr", 1) < float("inf"):
        raise ConfigError(f"--lr is {given['lr']}; it must be above 0")
    if "size" in given:
        given["size"] = _size_of(given["size"])
    return Flags(**given)


def place_run(args: argparse.Namespace) -> None:
    """Set the work directory, and the config if none is given, from ``--name``.

    Raises:
        ConfigError: If the name is a path, or a work directory is given too.
    """
    name = getattr(args, "name", None)
    if name is None:
        return
    if not name or name in (".", "..") or any(mark in name for mark in "/\\:"):
        raise ConfigError(
            f"--name {name!r} is no name of a folder; a path is given with --work-dir"
        )
    folder = str(RUNS / name)
    if getattr(args, "work_dir", None) not in (None, folder):
        raise ConfigError(f"--name {name} and --work-dir {args.work_dir}: give one of them")
    args.work_dir = folder
    if args.config is None and Path(folder).is_dir():
        args.config = folder


def _size_of(text: str) -> tuple[int, int]:
    """Return height and width of a text such as ``64`` or ``48x64``."""
    parts = text.lower().split("x")
    if len(parts) <= 2 and all(part.isdecimal() and 0 < int(part) <= MOST for part in parts):
        return int(parts[0]), int(parts[-1])
    raise ConfigError(f"--size is {text!r}; give pixels, such as 64, or height x width: 48x64")
