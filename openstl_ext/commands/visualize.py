"""Draw what a test saved: a forecast step by step, a label map, or a confusion matrix.

::

    openstl-ext visualize work_dirs/boiling/simvp_gsta_small/seed_0
    openstl-ext visualize RUN SAMPLE_ID --colormap inferno --out grid.png
    openstl-ext visualize RUN SAMPLE_ID --beside RUN_B RUN_C --difference --out methods.png
    openstl-ext visualize RUN SAMPLE_ID SAMPLE_ID --beside RUN_B --out samples.gif
    openstl-ext visualize work_dirs/lts/st_mamba/seed_0 SAMPLE_ID --rgb nir red green
    openstl-ext visualize work_dirs/lts/st_mamba/seed_0 --confusion

RUN is the folder of a run or its folder `saved`. Without SAMPLE_ID it lists the samples; the
beginning of a name is enough if it is unique. `--out` with the end .gif or .mp4 writes an
animation of truth, forecast and difference, of several samples below each other. The stacks that
OpenSTL saves (``inputs.npy``, ``trues.npy``, ``preds.npy``) are drawn too; their samples are
numbered from 0. Where entire samples have a class, the confusion matrix of all is drawn; where
they have several, the scores of each class.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from openstl_ext import cli
from openstl_ext.errors import UserError

if TYPE_CHECKING:
    from openstl_ext.visualization.saved import SavedFolder

MOVING = (".gif", ".mp4")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("saved", metavar="RUN", help="folder of a run, or of its saved frames")
    add("samples", nargs="*", metavar="SAMPLE_ID")
    add("--beside", nargs="+", default=[], metavar="RUN", help="further methods to draw")
    add("--difference", action="store_true", help="of several methods: draw forecast - truth too")
    add("--colormap", help="any of matplotlib; viridis, of probabilities cividis")
    add("--channel", action="append", default=[], help="name or number; repeatable")
    add("--rgb", nargs="*", metavar="CHANNEL", help="show three channels as colours")
    add("--class", dest="interest", help="of labels: draw one class against all others")
    add("--confusion", action="store_true", help="draw the confusion matrix of labels")
    add("--max-columns", type=int, default=12, help="steps shown (%(default)s)")
    add("--fps", type=float, help="of an animation: frames per second (3)")
    add("--panel-size", type=int, help="of an animation: pixels of a panel (200)")
    add("--save", action="store_true", help="write grid_<id>.png (the default)")
    add("--out", type=Path, help="write the picture here: .png, or .gif or .mp4 for an animation")


def run(args: argparse.Namespace) -> None:
    """List the samples, or write one picture and print its path."""
    from openstl_ext.output_path import check_file
    from openstl_ext.visualization.saved import SavedFolder

    folders = [SavedFolder(place) for place in (args.saved, *args.beside)]
    folder, moving = folders[0], args.out is not None and args.out.suffix.lower() in MOVING
    of_all = args.confusion or (folder.holds_scenes and not args.samples)
    if not args.samples and not of_all:
        cli.print_line("\n".join(folder.sample_ids))
        print("name one of these samples to draw it", file=sys.stderr)
        return
    names = [folder.find(sample) for sample in args.samples]
    kind = "confusion" if of_all else "methods" if args.beside else "grid"
    path = args.out or folder.path / ("_".join([kind, *names[:1]]) + ".png")
    check_file(path, option="--out", suffixes=(".png", *MOVING))
    _check(args, names, moving=moving, of_all=of_all)
    if moving:
        _animate(args, folders, names, path)
    else:
        _draw(args, folders, names, path, of_all=of_all)
    cli.print_line(str(path))


def _check(args: argparse.Namespace, names: list[str], *, moving: bool, of_all: bool) -> None:
    """Check options that would be ignored, and fill in those that are not given.

    Raises:
        UserError: If an option does not fit the others.
    """
    if of_all and (args.beside or moving):
        raise UserError(
            "the labels of all are a .png of one run; remove --beside, or name a sample"
        )
    if len(names) > 1 and not moving:
        raise UserError("several samples are drawn as an animation: --out samples.gif")
    if args.difference and not args.beside:
        raise UserError("--difference belongs to --beside; one method is always drawn with it")
    if not moving and (args.fps, args.panel_size) != (None, None):
        raise UserError("--fps and --panel-size belong to an animation: --out x.gif")
    args.fps = 3.0 if args.fps is None else args.fps
    args.panel_size = 200 if args.panel_size is None else args.panel_size
    if not 16 <= args.panel_size <= 1000:
        raise UserError(f"--panel-size {args.panel_size} is not between 16 and 1000 pixels")
    if not 0.2 <= args.fps <= 50:
        raise UserError(f"--fps {args.fps:g} is not between 0.2 and 50 frames per second")


def _draw(
    args: argparse.Namespace,
    folders: "list[SavedFolder]",
    names: list[str],
    path: Path,
    *,
    of_all: bool,
) -> None:
    """Write a PNG."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.visualization.compared import compare_saved
    from openstl_ext.visualization.drawing import draw_all_labels, draw_saved
    from openstl_ext.visualization.method_rows import draw_methods
    from openstl_ext.visualization.style import VALUES

    if of_all:
        page = draw_all_labels(folders[0], names[0] if names else None)
    elif args.beside and folders[0].holds_labels:
        raise UserError("label maps of several methods are drawn as an animation: --out maps.gif")
    elif args.beside:
        page = draw_methods(
            compare_saved(folders, names[0]),
            picked=[*args.channel, *(args.rgb or ())],
            rgb=args.rgb is not None,
            colormap=args.colormap or VALUES,
            most_columns=args.max_columns,
            differences=args.difference,
        )
    else:
        page = draw_saved(
            folders[0],
            names[0],
            most_columns=args.max_columns,
            channels=args.channel,
            rgb=args.rgb,
            interest=args.interest,
            colormap=args.colormap,
        )
    atomic_write(path, page.png())


def _animate(
    args: argparse.Namespace, folders: "list[SavedFolder]", names: list[str], path: Path
) -> None:
    """Write a GIF or an MP4."""
    from openstl_ext.atomic_io import atomic_path, atomic_write
    from openstl_ext.visualization.animated_rows import clocks_of, notes_of, rows_of
    from openstl_ext.visualization.animation import draw_animation
    from openstl_ext.visualization.compared import compare_saved

    samples = [compare_saved(folders, name) for name in names]
    rows = [
        row
        for sample in samples
        for row in rows_of(
            sample,
            picked=[*args.channel, *(args.rgb or ())],
            rgb=args.rgb is not None,
            interest=args.interest,
            colormap=args.colormap,
            named=len(samples) > 1,
        )
    ]
    about = samples[0].about
    animation = draw_animation(
        rows,
        title=", ".join(samples[0].methods),
        clocks=clocks_of(samples[0]),
        notes=notes_of(samples[0], names, synthetic=bool(about.get("synthetic"))),
        panel_size=args.panel_size,
    )
    if path.suffix.lower() == ".gif":
        atomic_write(path, animation.gif(args.fps))
        return
    with atomic_path(path, suffix=".mp4") as part:
        animation.mp4(part, args.fps)
