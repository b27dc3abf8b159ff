"""Convert a checkpoint of another system to one of this package.

Checkpoints of OpenSTL (``.pth``, ``latest.pth``, Lightning's ``.ckpt``), simvp_minimal, VMRNN,
ST-Mamba, Human Modification and SMARTIES (``.safetensors``) are known. The net is recognised by its
weights and by the hyper-parameters of a ``.ckpt``. What neither contains must be stated: with
--cell, with --net, or with --config, which also loads the result into the net of the config before
it is written. ::

    openstl-ext convert checkpoint.pth simvp.pth --config moving_mnist/simvp_gsta
    openstl-ext test moving_mnist/simvp_gsta simvp.pth
    openstl-ext convert checkpoint.pth convlstm.pth --cell published_tables --net patch_size=4
    openstl-ext convert smarties-v1-vitb.safetensors smarties.pth
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openstl_ext import cli
from openstl_ext.commands.arguments import complete_config
from openstl_ext.errors import ConfigError, nearest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("src", type=Path, metavar="SRC", help="checkpoint of the other system")
    parser.add_argument(
        "dst", type=Path, metavar="DST", help="file to write; replaced if it exists"
    )
    parser.add_argument("--source", help="name of the system, if its keys do not identify it")
    parser.add_argument(
        "--cell",
        choices=("published_tables", "corrected"),
        help="cell of a ConvLSTM: that of OpenSTL 0.3 and its published tables, or of OpenSTL 1",
    )
    parser.add_argument(
        "--net",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="arguments of the net that the file does not contain, as in patch_size=4",
    )
    config: Any = parser.add_argument("--config", help="a config whose net must load the weights")
    config.completer = complete_config


def run(args: argparse.Namespace) -> None:
    """Convert, check, write."""
    import torch

    from openstl_ext.atomic_io import atomic_file
    from openstl_ext.config import load
    from openstl_ext.engine.checkpoint import load_weights
    from openstl_ext.engine.converted_net import check_converted_net
    from openstl_ext.interop import convert
    from openstl_ext.output_path import check_file
    from openstl_ext.registry import METHODS

    check_file(args.dst, option="DST", sources=[args.src])
    stated = _parsed(args.net) | ({} if args.cell is None else {"cell": args.cell})
    model = load(args.config).get("model", {}) if args.config else {}
    of_config = _flat(model.get("net") or {})
    for name in ("cell", "interpolation"):  # a config does not show which code made the weights
        of_config.pop(name, None)
    state = convert(args.src, args.source, stated=of_config | stated)
    _check_stated(stated, state["meta"]["net"], args.src)
    if args.config:
        check_converted_net(state, model, args.src)
        load_weights(METHODS.build(model), state["state_dict"])
    with atomic_file(args.dst) as file:
        torch.save(state, file)
    meta = state["meta"]
    method = f"model=dict({_shown(meta['method'])}, ...) with " if "method" in meta else ""
    cli.print_line(
        f"written to {args.dst}; a config loads it into {method}net=dict({_shown(meta['net'])})"
    )


def _shown(arguments: Mapping[str, Any]) -> str:
    """Return arguments as in a config."""
    return ", ".join(f"{key}={value!r}" for key, value in arguments.items())


def _flat(net: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a net with those of its encoder, if it has one."""
    return {**{k: v for k, v in net.items() if k != "encoder"}, **net.get("encoder", {})}


def _check_stated(stated: Mapping[str, Any], net: Mapping[str, Any], path: Path) -> None:
    """Reject arguments that the net does not have or that the weights contradict."""
    flat = _flat(net)
    for name, value in stated.items():
        if name not in flat:
            raise ConfigError(
                f"{name}={value!r} is not used for the {net['type']} in {path}; "
                f"{nearest(name, flat.keys() - {'type'})}"
            )
        if value != flat[name]:
            raise ConfigError(f"{name} is {flat[name]!r} in {path}, not {value!r}")


def _parsed(options: Sequence[str]) -> dict[str, Any]:
    """Parse the entries of ``--net``.

    Raises:
        ConfigError: If one is not of the form NAME=VALUE.
    """
    from openstl_ext.config.overrides import parse

    parsed = {}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigError(f"--net expects NAME=VALUE, such as patch_size=4; got {option!r}")
        parsed[name] = parse(text)
    return parsed
