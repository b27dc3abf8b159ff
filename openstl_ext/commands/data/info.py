"""Describe the data of a folder or a config: sizes, ranges, splits, licence, and a sample page."""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openstl_ext import cli

if TYPE_CHECKING:
    from openstl_ext.datasets.base import SequenceDataset
    from openstl_ext.visualization.page import Page
    from openstl_ext.visualization.sample_page import SampleView

ELSEWHERE = Path("work_dirs")
"""Folder of a sample page that cannot lie beside its data."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("source", metavar="DIR|CONFIG", help="folder of the data, or a config that reads them")
    add("--as", dest="type", metavar="DATASET", help="class that reads the folder")
    add(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="arguments of the dataset, as in num_inputs=5",
    )
    add(
        "--samples",
        type=_samples,
        default=20,
        help="samples of each split whose values are read, or all (%(default)s)",
    )
    add(
        "--out",
        type=Path,
        metavar="FILE.png",
        help="the sample page; default: sample_<folder>.png beside the folder, or in "
        f"{ELSEWHERE} if that cannot be written",
    )
    add("--no-picture", action="store_true", help="draw no sample page")
    add("--json", action="store_true", help="print JSON")


def _samples(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1, or all")
    return int(text)


def run(args: argparse.Namespace) -> None:
    """Print the description and draw the page."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.datasets.description import describe, open_splits
    from openstl_ext.datasets.description_text import text
    from openstl_ext.engine.randomness import ITEM, seed_everything
    from openstl_ext.output_path import check_file

    cls, root, settings = find(args)
    out = args.out or default_picture(root)
    if not args.no_picture:
        check_file(out, option="--out", suffixes=(".png",))
    opened = open_splits(cls, root, settings)

    def seed(index: int) -> None:
        seed_everything(0, ITEM, 0, index)

    found = describe(cls, root, opened, most=args.samples, seed=seed)
    if not args.no_picture:
        atomic_write(out, draw(opened.datasets, seed, title=f"{root}: {cls.__name__}").png())
        found["picture"] = str(out)
    cli.print_line(json.dumps(found, indent=1) if args.json else text(found))


def default_picture(root: Path) -> Path:
    """Return where the sample page of a folder is written: beside it, not among its files."""
    folder = Path(os.path.abspath(root))  # keeps links, for the place that the user named
    beside = folder.parent
    place = beside if os.access(beside, os.W_OK | os.X_OK) else ELSEWHERE
    found = place / f"sample_{folder.name}.png"
    return found.relative_to(Path.cwd()) if found.is_relative_to(Path.cwd()) else found


def find(
    args: argparse.Namespace,
) -> "tuple[type[SequenceDataset], Path, dict[str, dict[str, Any]]]":
    """Return the dataset, its folder and the arguments of each split."""
    from openstl_ext.datasets.recognition import default_root
    from openstl_ext.registry import DATASETS

    DATASETS.import_from_location()
    given = dict(entry(word) for word in args.set)
    if args.source in DATASETS.module_dict:
        args.type = args.source
        return of_folder(default_root(DATASETS.get(args.source)), args.type, given)
    if Path(args.source).is_dir():
        return of_folder(Path(args.source), args.type, given)
    return of_config(args.source, args.type, given)


def of_folder(
    root: Path, type_: str | None, given: dict[str, Any]
) -> "tuple[type[SequenceDataset], Path, dict[str, dict[str, Any]]]":
    """Return the dataset that reads a folder, with arguments that read it as stored."""
    from openstl_ext.datasets.recognition import recognise, required_arguments
    from openstl_ext.errors import UserError

    cls = recognise(root, type_)[0]
    arguments = cls.arguments_for(root) | given
    if absent := [name for name in required_arguments(cls) if name not in arguments]:
        raise UserError(
            f"{root}: {cls.__name__} needs {', '.join(absent)}, which the folder does not state; "
            f"give --set {absent[0]}=..., or a config in place of the folder"
        )
    return cls, root, {split: dict(arguments) for split in cls.splits}


def of_config(
    name: str, type_: str | None, given: dict[str, Any]
) -> "tuple[type[SequenceDataset], Path, dict[str, dict[str, Any]]]":
    """Return the dataset of a config with the arguments of its loaders."""
    from openstl_ext import config
    from openstl_ext.datasets.recognition import default_root
    from openstl_ext.errors import ConfigError
    from openstl_ext.registry import DATASETS

    try:
        cfg = config.load(name).to_dict()
    except ConfigError as error:
        if not str(error).startswith("there is no config"):
            raise
        raise ConfigError(f"{name} is no folder, and {error}") from None
    loaders = {split: cfg.get(f"{split}_dataloader") or {} for split in ("train", "val", "test")}
    blocks = {
        split: dict(loader["dataset"]) | given
        for split, loader in loaders.items()
        if "dataset" in loader
    }
    if not blocks:
        raise ConfigError(f"{name}: has no dataset; name the folder of the data")
    first = next(iter(blocks.values()))
    cls = DATASETS.get(type_ or first["type"])
    root = Path(first["root"]) if "root" in first else default_root(cls)
    arguments = {
        split: {key: value for key, value in block.items() if key not in ("type", "root")}
        for split, block in blocks.items()
    }
    return cls, root, arguments


def entry(word: str) -> tuple[str, Any]:
    """Split KEY=VALUE; a value is a Python literal, or a word."""
    import ast

    from openstl_ext.errors import UserError

    key, sign, value = word.partition("=")
    if not sign or not key.isidentifier():
        raise UserError(f"--set {word}: write KEY=VALUE, as in num_inputs=5")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return key, value


def draw(
    datasets: "dict[str, SequenceDataset]", seed: Callable[[int], None], *, title: str
) -> "Page":
    """Draw the first sample of each split."""
    from openstl_ext.visualization.sample_page import draw_samples, stretch_note

    metainfo = next(iter(datasets.values())).metainfo
    samples = []
    for split, dataset in datasets.items():
        seed(0)
        samples.append(view(split, dataset.sample_id(0), dataset[0], metainfo.classes))
    words = ["SYNTHETIC"] if metainfo.synthetic else []
    words += [stretch_note()] if metainfo.classes else []
    return draw_samples(
        samples,
        title=title,
        subtitle="; ".join(words),
        channels=metainfo.labels,
        units=[channel.unit for channel in metainfo.channels],
        lead=metainfo.lead,
        classes=metainfo.classes,
    )


def view(split: str, name: str, item: Any, classes: Sequence[str]) -> "SampleView":
    """Return an item as the picture needs it."""
    import numpy as np

    from openstl_ext.datasets.summary import known_arrays
    from openstl_ext.visualization.sample_page import SampleView

    inputs, targets = (known_arrays(item.get(side) or {}) for side in ("inputs", "data_samples"))
    labels, words = targets.get("labels"), ""
    if labels is not None and labels.ndim < 2:
        chosen = np.flatnonzero(labels) if labels.ndim else labels.reshape(1)
        words = ", ".join(classes[k] for k in chosen.tolist())
        labels = None
    if labels is not None and "valid" in targets:
        labels = np.where(targets["valid"], labels, -1)
    return SampleView(
        split=split,
        name=name,
        inputs=inputs["frames"],
        target=targets.get("frames"),
        labels=labels,
        words=words,
    )
