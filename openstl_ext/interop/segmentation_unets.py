"""Adapters for ST-Mamba's U-Nets over image series: (2+1)D, and with recurrent cells."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from openstl_ext.interop.checkpoints import ForeignFile, Found, recognises
from openstl_ext.interop.convlstm import one_convolution_cell
from openstl_ext.interop.state_dict_adapter import Kwargs, StateDictAdapter, register_adapter
from openstl_ext.interop.weight_transforms import WeightTransform
from openstl_ext.models.convgru_unet import ConvGRUUNet
from openstl_ext.models.convlstm_unet import ConvLSTMUNet
from openstl_ext.models.unet_2plus1d import UNet2Plus1D

ST_MAMBA = "xian1234/ST-Mamba"

Rename = tuple[str, str | Callable[[re.Match[str]], str]]


def counted(before: str, after: str = "") -> Callable[[re.Match[str]], str]:
    """Return a replacement that inserts our number, counted from 0, as one counted from 1."""
    return lambda match: f"{before}{int(match[1]) + 1}{after}"


# (ours, theirs): regular expressions, applied in this order to a key of ours.
DOUBLE_CONV: tuple[Rename, ...] = (
    (r"\bfirst\.", "double_conv.0."),
    (r"\bfirst_norm\.", "double_conv.1."),
    (r"\bsecond\.", "double_conv.3."),
    (r"\bsecond_norm\.", "double_conv.4."),
)
ENCODER: tuple[Rename, ...] = (
    *DOUBLE_CONV,
    (r"^encoder\.inlet\.", "inc."),
    (r"^encoder\.downs\.(\d+)\.conv\.", counted("down", ".maxpool_conv.1.")),
)
DECODER: tuple[Rename, ...] = (
    *DOUBLE_CONV,
    (r"^decoder\.ups\.(\d+)\.", counted("up", ".")),
    (r"^decoder\.read\.", "outc.conv."),
)
GRU: tuple[Rename, ...] = (
    (r"^memories\.(\d+)\.gates\.", counted("gru", ".conv_gates.")),
    (r"^memories\.(\d+)\.candidate\.", counted("gru", ".conv_can.")),
)
TRANSFORMER: tuple[Rename, ...] = (
    (r"^attention\.attention_norm\.", "vit.norm1."),
    (r"^attention\.attend\.", "vit.attn.in_proj_"),
    (r"^attention\.mix\.", "vit.attn.out_proj."),
    (r"^attention\.mlp_norm\.", "vit.norm2."),
    (r"^attention\.widen\.", "vit.mlp.0."),
    (r"^attention\.narrow\.", "vit.mlp.3."),
)
VOLUMES: tuple[Rename, ...] = (
    (r"\bspatial\.", "spatial_conv."),
    (r"\btemporal\.", "temporal_conv."),
    (r"\bnorm\.", "bn."),
    (r"^inlet\.", "inc.conv_block."),
    (r"^downs\.(\d+)\.", counted("down", ".1.conv_block.")),
    (r"^ups\.(\d+)\.conv\.", counted("up", ".conv.conv_block.")),
    (r"^ups\.(\d+)\.", counted("up", ".")),
    (r"^read\.", "outc."),
)


def renamed(net: nn.Module, names: Sequence[Rename]) -> dict[str, str | WeightTransform]:
    """Map each key of our net to the key of the reference.

    Args:
        net: Our net.
        names: Regular expressions and their replacements, applied in this order.
    """
    theirs: dict[str, str | WeightTransform] = {}
    for ours in net.state_dict():
        key = ours
        for pattern, name in names:
            key = re.sub(pattern, name, key)
        theirs[ours] = key
    return theirs


@register_adapter("UNet3D", ST_MAMBA)
def unet_3d(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the (2+1)D U-Net."""
    arguments = _sizes(kwargs)
    net = UNet2Plus1D(**arguments)
    return StateDictAdapter(net, renamed(net, VOLUMES), arguments=arguments)


@register_adapter("SpatioTemporalUNet", ST_MAMBA)
def spatio_temporal_unet(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of ConvGRUUNet under its first name."""
    return convgru_unet(kwargs)


@register_adapter("ConvGRUUNet", ST_MAMBA)
def convgru_unet(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the U-Net with ConvGRU cells."""
    arguments = _sizes(kwargs)
    net = ConvGRUUNet(**arguments)
    return StateDictAdapter(net, renamed(net, (*ENCODER, *DECODER, *GRU)), arguments=arguments)


@register_adapter("ConvLSTMUNet", ST_MAMBA)
def convlstm_unet(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the U-Net with ConvLSTM cells."""
    return _convlstm(_sizes(kwargs))


@register_adapter("ConvLSTMViT", ST_MAMBA)
def convlstm_vit(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of ConvLSTMUNet with a transformer block over the deepest map."""
    transformer = {
        "num_heads": kwargs.get("vit_heads", 8),
        "mlp_channels": kwargs.get("vit_mlp_dim", 2048),
        "dropout_prob": kwargs.get("vit_dropout", 0.1),
    }
    return _convlstm(_sizes(kwargs) | transformer)


def _convlstm(arguments: dict[str, Any]) -> StateDictAdapter:
    net = ConvLSTMUNet(**arguments)
    theirs = renamed(net, (*ENCODER, *DECODER, *TRANSFORMER))
    for level in range(len(net.memories)):
        theirs |= one_convolution_cell(f"memories.{level}.", f"lstm{level + 1}.")
    return StateDictAdapter(net, theirs, arguments=arguments)


def _sizes(kwargs: Kwargs) -> dict[str, Any]:
    return {
        "in_channels": kwargs.get("n_channels", 4),
        "num_classes": kwargs.get("n_classes", 1),
    }


@recognises(ST_MAMBA)
def segmentation_unet_arguments(file: ForeignFile) -> Found | None:
    """Infer the class and its sizes from the weights, except the number of attention heads."""
    weights = file.weights
    marks = {
        "inc.conv_block.0.spatial_conv.weight": "UNet3D",
        "gru1.conv_gates.weight": "ConvGRUUNet",
        "vit.attn.in_proj_weight": "ConvLSTMViT",
        "lstm1.conv.weight": "ConvLSTMUNet",
    }
    cls = next((name for key, name in marks.items() if key in weights), None)
    first = next(
        (v for k, v in weights.items() if re.fullmatch(r"inc\..*_conv.*\.weight", k)), None
    )
    last = weights.get("outc.weight", weights.get("outc.conv.weight"))
    if cls is None or first is None or last is None:
        return None
    kwargs = {"n_channels": first.shape[1], "n_classes": len(last)}
    if cls == "ConvLSTMViT":
        width = len(weights["vit.norm1.weight"])
        kwargs["vit_heads"] = file.demand("num_heads", f"8 as published or another part of {width}")
        kwargs["vit_mlp_dim"] = len(weights["vit.mlp.0.weight"])
    return Found(ST_MAMBA, cls, kwargs)
