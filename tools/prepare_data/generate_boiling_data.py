"""Generate the boiling simulation. Running it again keeps what is there."""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.datasets.boiling.prepare import BoilingRecipe, generate


def main() -> None:
    """Parse, and call the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num_samples", type=int, required=True, help="number of simulations")
    parser.add_argument("--num_frames", type=int, required=True, help="frames of each")
    parser.add_argument("--data_path", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--increment", type=float, default=10, help="degrees F a step (%(default)s)"
    )
    parser.add_argument("--image_size", type=int, default=64, help="side of a map (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes (%(default)s)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--no-packed", action="store_true", help="write the many small files only")
    form.add_argument("--packed-only", action="store_true", help="write the one packed array only")
    args = parser.parse_args()
    recipe = BoilingRecipe(
        num_samples=args.num_samples,
        num_frames=args.num_frames,
        increment=args.increment,
        image_size=args.image_size,
        seed=args.seed,
    )
    done = generate(args.data_path, recipe, files=not args.packed_only, packed=not args.no_packed)
    print("\n".join([*done, f"boiling data are in {args.data_path}"]))


if __name__ == "__main__":
    cli.run(main)
