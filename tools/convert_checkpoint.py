"""Turn a checkpoint of another system into one of ours.

OpenSTL's (``.pth``, ``latest.pth``, Lightning's ``.ckpt``) and those of simvp_minimal, VMRNN,
ST-Mamba and Human Modification are known. What net it is stands in the weights; the config is
only asked whether its own net would take them. ::

    python tools/convert_checkpoint.py checkpoint.pth simvp.pth --config configs/mmnist/simvp.py
    python tools/test.py configs/mmnist/simvp.py simvp.pth
"""

import argparse
import sys
from pathlib import Path

import torch

from openstl_ext.atomic_io import atomic_file
from openstl_ext.config import load
from openstl_ext.engine.checkpoint import load_weights
from openstl_ext.errors import UserError
from openstl_ext.interop import convert
from openstl_ext.registry import METHODS


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("src", type=Path, metavar="SRC", help="checkpoint of the other system")
    parser.add_argument("dst", type=Path, metavar="DST", help="file to write; replaced if there")
    parser.add_argument("--source", help="system it is from, if not found by its keys: openstl")
    parser.add_argument("--config", help="a config of ours whose net shall take the weights")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Convert, check, write."""
    args = parse(argv)
    try:
        state = convert(args.src, args.source)
        if args.config:
            load_weights(METHODS.build(load(args.config).model), state["state_dict"])
        args.dst.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(args.dst) as file:
            torch.save(state, file)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    net = ", ".join(f"{key}={value!r}" for key, value in state["meta"]["net"].items())
    print(f"written to {args.dst}; a config loads it into net=dict({net})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
