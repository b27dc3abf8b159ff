"""Adapters for OpenSTL's ConvLSTM, the net and the cell."""

from math import isqrt
from typing import Any

from openstl_ext.errors import CheckpointError
from openstl_ext.interop.checkpoints import ForeignFile, Found, recognises
from openstl_ext.interop.state_dict_adapter import (
    Kwargs,
    NoAdapterError,
    StateDictAdapter,
    register_adapter,
)
from openstl_ext.interop.weight_transforms import Concatenate, ReorderBlocks, WeightTransform
from openstl_ext.layers.convlstm import OUTPUTS, ConvLSTMCell, Output
from openstl_ext.models.convlstm import ConvLSTM

OPENSTL = "chengtan9907/OpenSTL"
OPENSTL_0_3 = "chengtan9907/OpenSTL@0a0f36c"
VMRNN = "yyyujintang/VMRNN-PyTorch"
UNUSED = ("*conv_o.*", "cell_list.*.conv_last.weight")
OUTPUT_BEFORE_NEW = (0, 1, 3, 2)
"""Order of gates in cells derived from ndrplz/ConvLSTM_pytorch: input, forget, output, new."""


@register_adapter("ConvLSTM_Model", OPENSTL)
def convlstm(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of OpenSTL's net, whose sizes are in ``configs``."""
    return _convlstm(kwargs, "corrected")


@register_adapter("ConvLSTM_Model", OPENSTL_0_3, VMRNN)
def first_convlstm(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the net of OpenSTL 0.3 and its forks, with ``h = o * g``."""
    return _convlstm(kwargs, "published_tables")


def _convlstm(kwargs: Kwargs, output: Output) -> StateDictAdapter:
    configs = kwargs["configs"]
    _check_stride(configs)
    arguments: dict[str, Any] = {
        "in_channels": configs["in_shape"][1],
        "hidden": tuple(kwargs["num_hidden"]),
        "kernel_size": configs["filter_size"],
        "patch_size": configs["patch_size"],
        "cell": output,
    }
    if configs.get("layer_norm"):
        arguments["layer_norm"] = tuple(configs["in_shape"][2:])
    net = ConvLSTM(**arguments)
    theirs: dict[str, str | WeightTransform] = {"read.weight": "conv_last.weight"}
    for index, cell in enumerate(net.cells):
        theirs |= _cell(f"cells.{index}.", f"cell_list.{index}.", cell)
    return StateDictAdapter(net, theirs, unused=UNUSED, arguments=arguments)


@register_adapter("ConvLSTMCell", OPENSTL)
def convlstm_cell(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of OpenSTL's cell."""
    return _single_cell(kwargs, "corrected")


@register_adapter("ConvLSTMCell", OPENSTL_0_3, VMRNN)
def first_convlstm_cell(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the cell of OpenSTL 0.3 and its forks, with ``h = o * g``."""
    return _single_cell(kwargs, "published_tables")


def _single_cell(kwargs: Kwargs, output: Output) -> StateDictAdapter:
    _check_stride(kwargs)
    cell = ConvLSTMCell(
        kwargs["in_channel"],
        kwargs["num_hidden"],
        output=output,
        kernel_size=kwargs["filter_size"],
        map_size=(kwargs["height"], kwargs["width"]) if kwargs.get("layer_norm") else None,
    )
    return StateDictAdapter(cell, _cell("", "", cell), unused=("conv_o.*", "conv_last.weight"))


def _cell(ours: str, theirs: str, cell: Any) -> dict[str, str | WeightTransform]:
    """Map the keys of one cell, with a prefix on either side."""
    if hasattr(cell.gates, "conv"):
        of_input, total = cell.gates.in_channels, cell.gates.conv.in_channels
        widths = {
            f"{theirs}conv_x.0.weight": of_input,
            f"{theirs}conv_h.0.weight": total - of_input,
        }
        return {f"{ours}gates.conv.weight": Concatenate(widths)}
    names = {"of_input": "conv_x.0", "of_hidden": "conv_h.0"}
    keys = {f"{ours}gates.{k}.weight": f"{theirs}{v}.weight" for k, v in names.items()}
    norms = {"input_norm": "conv_x.1", "hidden_norm": "conv_h.1"}
    for part in ("weight", "bias"):
        keys |= {f"{ours}gates.{k}.{part}": f"{theirs}{v}.{part}" for k, v in norms.items()}
    return dict(keys)


def one_convolution_cell(ours: str, theirs: str) -> dict[str, str | WeightTransform]:
    """Map the keys of a cell with one convolution and a bias, as in ndrplz/ConvLSTM_pytorch.

    Args:
        ours: Prefix of our cell.
        theirs: Prefix of theirs.
    """
    return {
        f"{ours}gates.conv.{part}": ReorderBlocks(f"{theirs}conv.{part}", OUTPUT_BEFORE_NEW)
        for part in ("weight", "bias")
    }


def _check_stride(configs: Kwargs) -> None:
    if configs.get("stride", 1) != 1:
        raise NoAdapterError(
            f"ConvLSTM with stride {configs['stride']} has no adapter; only stride 1 is supported"
        )


@recognises(OPENSTL, VMRNN)
def convlstm_arguments(file: ForeignFile) -> Found | None:
    """Infer the arguments of ConvLSTM from its weights, its hyper-parameters and the form."""
    weights = file.weights
    first = weights.get("cell_list.0.conv_x.0.weight")
    hidden_to_gates = weights.get("cell_list.0.conv_h.0.weight")
    if first is None or hidden_to_gates is None or "cell_list.0.conv_m.0.weight" in weights:
        return None
    if first.shape[0] != 4 * hidden_to_gates.shape[1]:
        return None
    folded = first.shape[1]
    patch = _patch_size(file, folded)
    cells = 1 + max(int(key.split(".")[1]) for key in weights if key.startswith("cell_list."))
    norm = weights.get("cell_list.0.conv_x.1.weight")
    sides = (1, 1) if norm is None else norm.shape[1:]
    configs = {
        "in_shape": (1, folded // patch**2, *(patch * side for side in sides)),
        "filter_size": first.shape[-1],
        "patch_size": patch,
        "layer_norm": norm is not None,
        "stride": file.arguments.get("stride", 1),
    }
    widths = [weights[f"cell_list.{i}.conv_h.0.weight"].shape[1] for i in range(cells)]
    source = {"corrected": OPENSTL, "published_tables": OPENSTL_0_3}[_cell_of(file)]
    return Found(source, "ConvLSTM_Model", {"num_hidden": widths, "configs": configs})


def _patch_size(file: ForeignFile, folded: int) -> int:
    """Return the patch size; the weights show the product of channels and patch area only.

    Raises:
        CheckpointError: If the file does not contain it and it is not stated, or it does not fit.
    """
    channels = {p: folded // p**2 for p in range(1, isqrt(folded) + 1) if folded % p**2 == 0}
    possible = ", ".join(f"{p} with {c} channels" for p, c in channels.items())
    if "patch_size" in file.arguments:
        patch = file.arguments["patch_size"]
    elif len(channels) == 1:
        return 1
    elif "in_channels" in file.stated and "patch_size" not in file.stated:
        of_channels = {c: p for p, c in channels.items()}
        patch = of_channels.get(file.stated["in_channels"])
    else:
        patch = file.demand("patch_size", f"one of {possible}")
    if patch not in channels:
        raise CheckpointError(
            f"patch_size={patch!r} does not fit the weights in {file.path}; possible are {possible}"
        )
    return int(patch)


def _cell_of(file: ForeignFile) -> Output:
    """Return the cell; the weights of both are alike.

    OpenSTL 1 writes files of Lightning only; its fork and version 0.3 have a runner of their own.
    Bare weights can be of any version.

    Raises:
        CheckpointError: If the file does not show it and it is not stated, or it is unknown.
    """
    if "cell" in file.stated:
        cell: Output = file.stated["cell"]
        if cell not in OUTPUTS:
            raise CheckpointError(f"--cell must be one of {', '.join(OUTPUTS)}, got {cell!r}")
        return cell
    if file.form == "lightning":
        return "corrected"
    if file.form == "runner" or (file.source and file.is_of(VMRNN)):
        return "published_tables"
    raise CheckpointError(
        f"{file.path} contains bare weights, which do not show the cell of a ConvLSTM; add --cell "
        "published_tables for OpenSTL 0.3, its model zoo and the code of VMRNN, or --cell "
        "corrected for OpenSTL 1"
    )
