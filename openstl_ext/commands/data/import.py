"""Import your own frames: pictures, arrays and other formats, with splits and statistics.

::

    openstl-ext data import photos --out data/photos --scale 255 --window 10+10
    openstl-ext data import wind.npy --axes NTCHW --channels u,v --unit m/s --out data/wind
"""

import argparse
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openstl_ext import cli
from openstl_ext.errors import UserError

if TYPE_CHECKING:
    from openstl_ext.frame_record import FramesRecord

SAMPLE = "sample.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("source", type=Path, metavar="SOURCE", help="file or folder of the frames")
    add("--out", type=Path, required=True, help="folder to write to, such as data/mine")
    add("--name", help="name in tables; default: that of the folder")
    add("--replace", action="store_true", help="replace an earlier import in this folder")
    add("--copy", action="store_true", help="copy the frames, so that the source may be removed")
    what = parser.add_argument_group("what the frames are").add_argument
    what("--variable", metavar="NAME", help="array of a file with several")
    what("--axes", help="order of the axes of an array, such as NTCHW, TCHW, NTHWC")
    what("--channels", type=_words, metavar="A,B", help="names, or those of pictures to use")
    what("--unit", help="unit of the values, such as K or m/s")
    what("--nodata", type=float, metavar="VALUE", help="value that means missing")
    what("--grey", action="store_true", help="make one channel of colour pictures")
    what("--every", type=int, default=1, metavar="K", help="take every k-th frame")
    what("--crop", type=_size, metavar="HxW", help="use the central part of the frames")
    what(
        "--scale",
        metavar="NUMBER|minmax|standard|none",
        help="divide values (255 for bytes), or scale by the training data; needed for whole "
        "numbers, standard for others",
    )
    how = parser.add_argument_group("samples and splits").add_argument
    how("--window", type=_window, default=(10, 10), metavar="IN+OUT", help="default: 10+10")
    how("--stride", type=int, help="frames between windows; default: a window")
    how("--split", type=_shares, default=(0.7, 0.15, 0.15), help="default: 0.7/0.15/0.15")
    how("--by", choices=("sequence", "time"), help="default: sequence, if there are three")
    how("--gap", type=int, default=0, help="frames left out between spans of time (%(default)s)")
    how("--seed", type=int, default=0, help="of the assignment of sequences (%(default)s)")


def run(args: argparse.Namespace) -> None:
    """Import a source."""
    from openstl_ext.atomic_io import atomic_folder, atomic_write
    from openstl_ext.datasets.imported_frames import ImportedFrames
    from openstl_ext.datasets.imported_frames.importing import import_frames

    check_folder(args)
    if args.name and re.search(r"[^\w.+-]", args.name):
        raise UserError(
            f"--name {args.name!r}: expected letters, digits, '_', '.', '+' and '-' only"
        )
    name = args.name or re.sub(r"\W+", "_", args.out.resolve().name)
    with atomic_folder(args.out) as part:
        record = import_frames(args.source, part, settings_of(args), name=name)
        dataset = ImportedFrames(root=str(part), split="train")
        atomic_write(part / SAMPLE, picture(dataset))
    cli.print_line("\n".join(summary(record, args.out)))


def settings_of(args: argparse.Namespace) -> Any:
    """Return the settings of the import."""
    from openstl_ext.datasets.imported_frames.importing import ImportSettings
    from openstl_ext.datasets.imported_frames.windows import SplitRule
    from openstl_ext.frame_sources import ReadOptions

    options = ReadOptions(
        variable=args.variable,
        axes=args.axes,
        channels=args.channels,
        unit=args.unit,
        nodata=args.nodata,
        every=args.every,
        grey=args.grey,
    )
    rule = SplitRule(
        shares=args.split,
        by=args.by,
        length=sum(args.window),
        stride=args.stride,
        gap=args.gap,
        seed=args.seed,
    )
    return ImportSettings(
        options=options,
        rule=rule,
        window=args.window,
        scale=args.scale,
        crop=args.crop,
        copy=args.copy,
    )


def check_folder(args: argparse.Namespace) -> None:
    """Refuse an output folder whose content would be lost.

    Raises:
        UserError: If it has other files, an import without ``--replace``, or the source.
    """
    from openstl_ext.frame_record import NAME

    out, source = args.out.expanduser().resolve(), args.source.expanduser().resolve()
    if source == out or out in source.parents:
        raise UserError(f"--out {args.out} contains the source; choose a folder beside it")
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / NAME).is_file():
        raise UserError(f"--out {args.out} exists and is no import; choose another folder")
    if not args.replace:
        raise UserError(f"--out {args.out} has an import; add --replace, or choose another folder")


def picture(dataset: Any) -> bytes:
    """Return a picture of the first training sample."""
    from openstl_ext.commands.data.info import draw

    return draw({"train": dataset}, lambda _: None, title=dataset.metainfo.name).png()


def summary(record: "FramesRecord", out: Path) -> list[str]:
    """Return one line for each fact, and the next command."""
    lengths = [sequence.num_frames for sequence in record.sequences]
    frames = f"{min(lengths)}" if len(set(lengths)) == 1 else f"{min(lengths)} to {max(lengths)}"
    unused = sum(length < sum(record.window) for length in lengths)
    kind = {"number": f"divided by {record.divisor:g}", "none": "as stored"}
    by_method = f"scaled in the method ({record.scaling} of the training frames)"
    scaled = kind.get(record.scaling, by_method)
    place = f"copied to {out}" if record.packed else f"read in place from {record.source}"
    lines = [
        f"sequences: {len(lengths)} of {frames} frames"
        + (f", {unused} of them shorter than a window and not used" if unused else ""),
        f"frames: {len(record.channels)} x {record.size[0]} x {record.size[1]} "
        "(channels x height x width)",
        f"values: {scaled}",
    ]
    for channel in record.channels:
        missing = f", {channel.missing:.2%} missing" if channel.missing else ""
        lines.append(
            f"channel {channel.name}: {channel.min:g} to {channel.max:g}, mean {channel.mean:g}, "
            f"std {channel.std:g}, unit {channel.unit}{missing} (training frames)"
        )
    counts = ", ".join(f"{len(windows)} {split}" for split, windows in record.splits.items())
    inputs, targets = record.window
    lines += [
        f"samples: {counts}; {inputs} inputs and {targets} targets, every {record.stride} frames, "
        f"split by {record.by}",
        f"data: {place}",
        f"picture of a sample: {out / SAMPLE}",
        f"next: openstl-ext train --recipe simvp_gsta --data {shlex.quote(str(out))} --test",
    ]
    return lines


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


def _window(text: str) -> tuple[int, int]:
    return _numbers(text, r"(\d+)\+(\d+)", "10+10")


def _size(text: str) -> tuple[int, int]:
    return _numbers(text, r"(\d+)x(\d+)", "64x96, height x width")


def _numbers(text: str, pattern: str, example: str) -> tuple[int, int]:
    match = re.fullmatch(pattern, text)
    if match is None or "0" in match.groups():
        raise argparse.ArgumentTypeError(f"{text!r}: expected two numbers, as in {example}")
    return int(match[1]), int(match[2])


def _shares(text: str) -> tuple[float, float, float]:
    try:
        train, val, test = map(float, text.split("/"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected the shares of train, val and test, as in 0.7/0.15/0.15"
        ) from None
    return train, val, test
