"""Draw what a test saved: a forecast step by step, or a map of labels beside its truth.

::

    python tools/visualize_grid.py work_dirs/boiling/simvp_gsta_small/seed_0/saved
    python tools/visualize_grid.py .../saved SAMPLE_ID --colormap inferno --out grid.png
    python tools/visualize_grid.py work_dirs/lts/st_mamba/seed_0 SAMPLE_ID --rgb nir red green

Without SAMPLE_ID it lists the samples; the beginning of a name is enough if only one starts so.
"""

import argparse
import sys
from pathlib import Path

from openstl_ext.errors import UserError
from openstl_ext.visualization.drawing import draw_saved
from openstl_ext.visualization.saved import SavedFolder


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("saved", metavar="SAVED_DIR", help="folder of the frames, or of the run")
    parser.add_argument("sample", nargs="?", metavar="SAMPLE_ID")
    parser.add_argument("--colormap", help="any of matplotlib; viridis, of probabilities cividis")
    parser.add_argument("--channel", action="append", default=[], help="name or number; repeatable")
    parser.add_argument("--rgb", nargs="*", metavar="CHANNEL", help="show three as colours")
    parser.add_argument("--class", dest="interest", help="of labels: draw one against all others")
    parser.add_argument("--max-columns", type=int, default=12, help="steps shown (%(default)s)")
    parser.add_argument("--save", action="store_true", help="write grid_<id>.png (the default)")
    parser.add_argument("--out", type=Path, help="write the picture here instead")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """List the samples, or write one picture and say where it is."""
    args = parse(argv)
    try:
        folder = SavedFolder(args.saved)
        if args.sample is None:
            print("\n".join(folder.sample_ids))
            print("name one of these samples to draw it", file=sys.stderr)
            return 0
        name, style = folder.find(args.sample), {"channels": args.channel, "rgb": args.rgb}
        style |= {"interest": args.interest, "colormap": args.colormap}
        page = draw_saved(folder, name, most_columns=args.max_columns, **style)
        path = args.out or folder.path / f"grid_{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page.png())
        print(path)
    except (UserError, OSError) as error:
        sys.exit(f"error: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
