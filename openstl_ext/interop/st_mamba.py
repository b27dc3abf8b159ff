"""Adapters for ST-Mamba with either temporal module, and for its U-Net of stacked frames."""

import re
from math import isqrt
from typing import Any

from openstl_ext.errors import CheckpointError
from openstl_ext.interop.checkpoints import ForeignFile, Found, recognises
from openstl_ext.interop.mamba import THEIRS as MAMBA
from openstl_ext.interop.segmentation_unets import (
    DECODER,
    DOUBLE_CONV,
    ENCODER,
    ST_MAMBA,
    Rename,
    counted,
    renamed,
)
from openstl_ext.interop.state_dict_adapter import Kwargs, StateDictAdapter, register_adapter
from openstl_ext.models.st_mamba import STMamba
from openstl_ext.models.unet import UNet

READER = "temporal_fusion.temporal_model."
FUSION: tuple[Rename, ...] = (
    (r"^fuse\.reader\.decay_log$", READER + "A_log"),
    (r"^fuse\.reader\.skip$", READER + "D"),
    *(
        (rf"^fuse\.reader\.{re.escape(ours)}\.", f"{READER}{theirs}.")
        for ours, theirs in MAMBA.items()
    ),
    (r"^fuse\.reader\.", READER),
    (r"^expand\.project\.", "decoder_projection."),
)
STACKED: tuple[Rename, ...] = (
    *DOUBLE_CONV,
    (r"^inlet\.", "inc."),
    (r"^downs\.(\d+)\.conv\.", counted("down", ".maxpool_conv.1.")),
    (r"^ups\.(\d+)\.grow\.", counted("up", ".up.")),
    (r"^ups\.(\d+)\.", counted("up", ".")),
    (r"^read\.", "outc.conv."),
)


@register_adapter("SpatioTemporalFusion", ST_MAMBA)
def spatio_temporal_fusion(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of STMamba or STBiGRU under their first name."""
    return _fusion(kwargs, kwargs.get("temporal_module", "mamba"))


@register_adapter("STMamba", ST_MAMBA)
def st_mamba(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the net with Mamba."""
    return _fusion(kwargs, "mamba")


@register_adapter("STBiGRU", ST_MAMBA)
def st_bigru(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the net with a bidirectional GRU."""
    return _fusion(kwargs, "gru")


def _fusion(kwargs: Kwargs, temporal: str) -> StateDictAdapter:
    arguments = {
        "in_channels": kwargs.get("n_channels", 4),
        "num_classes": kwargs.get("n_classes", 1),
        "temporal": temporal,
        "patch_size": kwargs.get("patch_size", 128),
    }
    net = STMamba(**arguments)
    return StateDictAdapter(net, renamed(net, (*ENCODER, *DECODER, *FUSION)), arguments=arguments)


@register_adapter("BaselineUNet", ST_MAMBA)
def baseline_unet(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of UNet under its first name."""
    return unet(kwargs)


@register_adapter("UNet", ST_MAMBA)
def unet(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the U-Net of stacked frames, as one frame with all channels."""
    arguments = {
        "in_channels": kwargs.get("n_channels", 4),
        "num_steps": 1,
        "num_classes": kwargs.get("n_classes", 1),
        "bilinear": kwargs.get("bilinear", True),
    }
    net = UNet(**arguments)
    return StateDictAdapter(net, renamed(net, STACKED), arguments=arguments)


@recognises(ST_MAMBA)
def st_mamba_arguments(file: ForeignFile) -> Found | None:
    """Infer the class and its sizes from the weights."""
    weights = file.weights
    first = weights.get("inc.double_conv.0.weight")
    last = weights.get("outc.conv.weight")
    if first is None or last is None:
        return None
    kwargs: dict[str, Any] = {"n_channels": first.shape[1], "n_classes": len(last)}
    projection = weights.get("decoder_projection.bias")
    if projection is not None:
        temporal = "mamba" if READER + "A_log" in weights else "gru"
        deepest = len(weights["down3.maxpool_conv.1.double_conv.4.bias"])
        kwargs["patch_size"] = _patch_size(file, isqrt(len(projection) // deepest))
        return Found(ST_MAMBA, "STMamba" if temporal == "mamba" else "STBiGRU", kwargs)
    if "up4.conv.double_conv.0.weight" in weights:
        kwargs["bilinear"] = "up1.up.weight" not in weights
        return Found(ST_MAMBA, "UNet", kwargs, ours=_steps(file, first.shape[1]))
    return None


def _patch_size(file: ForeignFile, deepest_side: int) -> int:
    """Return the patch size; the weights show its eighth only, rounded down.

    Raises:
        CheckpointError: If it is not stated, or it does not fit.
    """
    least = 8 * deepest_side
    patch = file.demand("patch_size", f"{least} to {least + 7} pixels")
    if patch not in range(least, least + 8):
        raise CheckpointError(
            f"patch_size={patch!r} does not fit the weights in {file.path}, which need "
            f"{least} to {least + 7}"
        )
    return int(patch)


def _steps(file: ForeignFile, stacked_channels: int) -> dict[str, int]:
    """Return the steps that the user states for a U-Net of stacked frames, and their channels."""
    steps = file.stated.get("num_steps", 1)
    if steps < 1 or stacked_channels % steps:
        raise CheckpointError(
            f"num_steps={steps!r} does not fit {file.path}, whose net has {stacked_channels} "
            "channels of all steps together"
        )
    return {"in_channels": stacked_channels // steps, "num_steps": steps}
