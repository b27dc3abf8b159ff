"""Convert a checkpoint of another system to one of this package.

Checkpoints of OpenSTL (``.pth``, ``latest.pth``, Lightning's ``.ckpt``), simvp_minimal, VMRNN,
ST-Mamba and Human Modification are known. The net is recognised by its weights; with --config the
result is loaded into the net of that config before it is written. ::

    openstl-ext convert checkpoint.pth simvp.pth --config moving_mnist/simvp_gsta
    openstl-ext test moving_mnist/simvp_gsta simvp.pth
"""

import argparse
from pathlib import Path
from typing import Any

from openstl_ext import cli
from openstl_ext.commands.arguments import complete_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("src", type=Path, metavar="SRC", help="checkpoint of the other system")
    parser.add_argument(
        "dst", type=Path, metavar="DST", help="file to write; replaced if it exists"
    )
    parser.add_argument("--source", help="name of the system, if its keys do not identify it")
    config: Any = parser.add_argument("--config", help="a config whose net must load the weights")
    config.completer = complete_config


def run(args: argparse.Namespace) -> None:
    """Convert, check, write."""
    import torch

    from openstl_ext.atomic_io import atomic_file
    from openstl_ext.config import load
    from openstl_ext.engine.checkpoint import load_weights
    from openstl_ext.interop import convert
    from openstl_ext.output_path import check_file
    from openstl_ext.registry import METHODS

    check_file(args.dst, option="DST", sources=[args.src])
    state = convert(args.src, args.source)
    if args.config:
        load_weights(METHODS.build(load(args.config).model), state["state_dict"])
    with atomic_file(args.dst) as file:
        torch.save(state, file)
    net = ", ".join(f"{key}={value!r}" for key, value in state["meta"]["net"].items())
    cli.print_line(f"written to {args.dst}; a config loads it into net=dict({net})")
