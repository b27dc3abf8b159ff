"""Draw what a test saved: a forecast step by step, a label map, or a confusion matrix.

::

    openstl-ext visualize work_dirs/boiling/simvp_gsta_small/seed_0/saved
    openstl-ext visualize .../saved SAMPLE_ID --colormap inferno --out grid.png
    openstl-ext visualize work_dirs/lts/st_mamba/seed_0 SAMPLE_ID --rgb nir red green
    openstl-ext visualize work_dirs/lts/st_mamba/seed_0 --confusion

The stacks that OpenSTL saves (``inputs.npy``, ``trues.npy``, ``preds.npy``) are drawn too; their
samples are numbered from 0. Without SAMPLE_ID it lists the samples; the beginning of a name is
enough if it is unique. Where entire samples have a class, the confusion matrix of all is drawn;
where they have several, the scores of each class.
"""

import argparse
import sys
from pathlib import Path

from openstl_ext import cli


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add = parser.add_argument
    add("saved", metavar="SAVED_DIR", help="folder of the frames, or of the run")
    add("sample", nargs="?", metavar="SAMPLE_ID")
    add("--colormap", help="any of matplotlib; viridis, of probabilities cividis")
    add("--channel", action="append", default=[], help="name or number; repeatable")
    add("--rgb", nargs="*", metavar="CHANNEL", help="show three channels as colours")
    add("--class", dest="interest", help="of labels: draw one class against all others")
    add("--confusion", action="store_true", help="draw the confusion matrix of labels")
    add("--max-columns", type=int, default=12, help="steps shown (%(default)s)")
    add("--save", action="store_true", help="write grid_<id>.png (the default)")
    add("--out", type=Path, help="write the picture here instead")


def run(args: argparse.Namespace) -> None:
    """List the samples, or write one picture and print its path."""
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.output_path import check_file
    from openstl_ext.visualization.drawing import draw_all_labels, draw_saved
    from openstl_ext.visualization.saved import SavedFolder

    folder = SavedFolder(args.saved)
    of_all = args.confusion or (folder.holds_scenes and args.sample is None)
    if args.sample is None and not of_all:
        cli.print_line("\n".join(folder.sample_ids))
        print("name one of these samples to draw it", file=sys.stderr)
        return
    name = None if args.sample is None else folder.find(args.sample)
    kind = "confusion" if of_all else "grid"
    path = args.out or folder.path / (f"{kind}.png" if name is None else f"{kind}_{name}.png")
    check_file(path, option="--out", suffixes=(".png",))
    if of_all:
        page = draw_all_labels(folder, name)
    else:
        page = draw_saved(
            folder,
            str(name),
            most_columns=args.max_columns,
            channels=args.channel,
            rgb=args.rgb,
            interest=args.interest,
            colormap=args.colormap,
        )
    atomic_write(path, page.png())
    cli.print_line(str(path))
