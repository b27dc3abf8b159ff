"""Write the weights of a checkpoint under the names of the published files, as safetensors.

The nets of SMARTIES have such a layout: its pre-training, an encoder with a head of fine-tuning or
of linear probing, and an encoder with a linear head for segmentation. ``convert`` gives the same
weights back. ::

    openstl-ext export CONFIG CHECKPOINT weights.safetensors
    openstl-ext convert weights.safetensors ours.pth
"""

import argparse
from pathlib import Path

from openstl_ext import cli
from openstl_ext.commands.arguments import add_config, load_trained_config, require_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    add_config(parser)
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="weights of the config's method")
    parser.add_argument(
        "out", type=Path, metavar="OUT.safetensors", help="file to write; replaced if it exists"
    )


def run(args: argparse.Namespace) -> None:
    """Load, rename, write."""
    from safetensors.torch import save

    from openstl_ext.api import load_model
    from openstl_ext.atomic_io import atomic_write
    from openstl_ext.interop.export import export
    from openstl_ext.output_path import check_file

    require_config(args)
    sources = [Path(args.checkpoint)]
    check_file(args.out, option="OUT", suffixes=[".safetensors"], sources=sources)
    cfg, _ = load_trained_config(args)
    weights, metadata = export(load_model(cfg, args.checkpoint), cfg.model)
    atomic_write(args.out, save(weights, metadata))
    size = sum(value.numel() for value in weights.values())
    cli.print_line(f"written to {args.out}: {len(weights)} weights, {size:,} numbers")
