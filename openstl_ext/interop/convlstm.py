"""Adapters for OpenSTL's ConvLSTM, the net and the cell."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from openstl_ext.interop.checkpoints import Found, recognises
from openstl_ext.interop.state_dict_adapter import (
    Kwargs,
    NoAdapterError,
    StateDictAdapter,
    register_adapter,
)
from openstl_ext.interop.weight_transforms import Concatenate, ReorderBlocks, WeightTransform
from openstl_ext.layers.convlstm import ConvLSTMCell
from openstl_ext.models.convlstm import ConvLSTM

OPENSTL = "chengtan9907/OpenSTL"
UNUSED = ("*conv_o.*", "cell_list.*.conv_last.weight")
OUTPUT_BEFORE_NEW = (0, 1, 3, 2)
"""Order of gates in cells derived from ndrplz/ConvLSTM_pytorch: input, forget, output, new."""


@register_adapter("ConvLSTM_Model", OPENSTL)
def convlstm(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of OpenSTL's net, whose sizes are in ``configs``."""
    configs = kwargs["configs"]
    _check_stride(configs)
    arguments: dict[str, Any] = {
        "in_channels": configs["in_shape"][1],
        "hidden": tuple(kwargs["num_hidden"]),
        "kernel_size": configs["filter_size"],
        "patch_size": configs["patch_size"],
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
    _check_stride(kwargs)
    cell = ConvLSTMCell(
        kwargs["in_channel"],
        kwargs["num_hidden"],
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


@recognises(OPENSTL)
def convlstm_arguments(weights: Mapping[str, Tensor]) -> Found | None:
    """Infer the arguments of ConvLSTM from its weights.

    The weights contain only the product of patch area and channels. The largest of 4, 2 and 1 that
    fits is used as the patch size, which is right for every published setting.
    """
    first = weights.get("cell_list.0.conv_x.0.weight")
    hidden_to_gates = weights.get("cell_list.0.conv_h.0.weight")
    if first is None or hidden_to_gates is None or "cell_list.0.conv_m.0.weight" in weights:
        return None
    if first.shape[0] != 4 * hidden_to_gates.shape[1]:
        return None
    folded = first.shape[1]
    patch = next(p for p in (4, 2, 1) if folded % p**2 == 0)
    cells = 1 + max(int(key.split(".")[1]) for key in weights if key.startswith("cell_list."))
    norm = weights.get("cell_list.0.conv_x.1.weight")
    sides = (1, 1) if norm is None else norm.shape[1:]
    configs = {
        "in_shape": (1, folded // patch**2, *(patch * side for side in sides)),
        "filter_size": first.shape[-1],
        "patch_size": patch,
        "layer_norm": norm is not None,
    }
    widths = [weights[f"cell_list.{i}.conv_h.0.weight"].shape[1] for i in range(cells)]
    return Found(OPENSTL, "ConvLSTM_Model", {"num_hidden": widths, "configs": configs})
