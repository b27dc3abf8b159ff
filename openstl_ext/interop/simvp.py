"""Adapters for the SimVP of OpenSTL and of simvp_minimal."""

import math
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from openstl_ext.errors import CheckpointError, ConfigError, nearest
from openstl_ext.interop.checkpoints import ForeignFile, Found, recognises
from openstl_ext.interop.state_dict_adapter import (
    Kwargs,
    NoAdapterError,
    StateDictAdapter,
    register_adapter,
)
from openstl_ext.layers.gsta import ProjectedAttention, TemporalAttention
from openstl_ext.models.simvp import SimVP

OPENSTL = "chengtan9907/OpenSTL"
MINIMAL = "CCU-LANL-AIML/simvp_minimal"

# Our argument, theirs, and their default.
ARGUMENTS = (
    ("spatial_channels", "hid_S", 16),
    ("temporal_channels", "hid_T", 256),
    ("num_spatial_blocks", "N_S", 4),
    ("num_temporal_blocks", "N_T", 4),
    ("mlp_ratio", "mlp_ratio", 8.0),
    ("dropout", "drop", 0.0),
    ("drop_path", "drop_path", 0.0),
    ("encoder_kernel_size", "spatio_kernel_enc", 3),
    ("decoder_kernel_size", "spatio_kernel_dec", 3),
    ("out_channels", "C_out", None),
)
# (ours, theirs): regular expressions, applied in this order to a key of ours.
FRAME = (
    (r"^encoder\.layers\.(\d+)\.", r"enc.enc.\1.conv."),
    (r"^decoder\.layers\.(\d+)\.", r"dec.dec.\1.conv."),
    (r"^decoder\.", "dec."),
    (r"^translator\.stack\.resizes\.(\d+)\.", r"hid.enc.\1.reduction."),
    (r"^translator\.stack\.blocks\.(\d+)\.", r"hid.enc.\1.block."),
)
ATTENTION = (
    (r"\bbefore\.", "proj_1."),
    (r"\bafter\.", "proj_2."),
    (r"\bcore\.near\.", "spatial_gating_unit.conv0."),
    (r"\bcore\.far\.", "spatial_gating_unit.conv_spatial."),
    (r"\bcore\.mix\.", "spatial_gating_unit.conv1."),
    (r"\bcore\.squeeze\.", "spatial_gating_unit.fc.0."),
    (r"\bcore\.excite\.", "spatial_gating_unit.fc.2."),
)
METAFORMER = (
    (r"\.attention\.", ".attn."),
    (r"\.feed_forward\.widen\.", ".mlp.fc1."),
    (r"\.feed_forward\.depthwise\.", ".mlp.dwconv.dwconv."),
    (r"\.feed_forward\.narrow\.", ".mlp.fc2."),
    (r"\.scale(\d)$", r".layer_scale_\1"),
)
TRANSLATORS = {"gsta": (*ATTENTION, *METAFORMER)}


@register_adapter("SimVP_Model", OPENSTL)
def openstl_simvp(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of OpenSTL's net, whose translator is an argument."""
    return _simvp(
        {**kwargs, "C_out": None}, translator=(kwargs.get("model_type") or "gsta").lower()
    )


@register_adapter("SimVP_Model", MINIMAL)
def minimal_simvp(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of simvp_minimal's net: gSTA only, output channels can differ."""
    return _simvp(kwargs, translator="gsta")


@register_adapter("TemporalAttention", MINIMAL)
def temporal_attention(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of a layer that simvp_minimal defines but does not use."""
    channels = kwargs["d_model"]
    core = TemporalAttention(channels, kernel_size=kwargs.get("kernel_size", 21))
    net = ProjectedAttention(channels, core)
    return StateDictAdapter(net, {key: _renamed(key, ATTENTION) for key in net.state_dict()})


def _simvp(kwargs: Kwargs, *, translator: str) -> StateDictAdapter:
    if translator not in TRANSLATORS:
        raise NoAdapterError(
            f"SimVP's translator {translator!r} has no adapter; {nearest(translator, TRANSLATORS)}"
        )
    if "in_shape" not in kwargs:
        raise ConfigError("SimVP_Model needs `in_shape`: frames, channels, height and width")
    arguments: dict[str, Any] = {
        ours: kwargs.get(theirs, default) for ours, theirs, default in ARGUMENTS
    }
    # Upstream: an odd number makes one layer less (simvp_model.py@c74deb5, sampling_generator)
    arguments["num_spatial_blocks"] -= arguments["num_spatial_blocks"] % 2
    arguments |= {"in_shape": tuple(kwargs["in_shape"]), "translator": translator}
    net = SimVP(**arguments)
    names = (*FRAME, *TRANSLATORS[translator])
    theirs = {key: _renamed(key, names) for key in net.state_dict()}
    for index, layer in enumerate(net.decoder.layers):
        if layer.scale == "up":  # theirs is a Sequential of convolution and shuffle
            for part in ("weight", "bias"):
                theirs[f"decoder.layers.{index}.conv.{part}"] = (
                    f"dec.dec.{index}.conv.conv.0.{part}"
                )
    return StateDictAdapter(net, theirs, arguments=arguments)


def _renamed(key: str, names: tuple[tuple[str, str], ...]) -> str:
    for ours, theirs in names:
        key = re.sub(ours, theirs, key)
    return key


@recognises(OPENSTL, MINIMAL)
def simvp_arguments(file: ForeignFile) -> Found | None:
    """Infer the arguments of SimVP from its weights.

    Height and width of the frames are those of the hyper-parameters or stated; the weights do not
    depend on them.
    """
    weights = file.weights
    if "enc.enc.0.conv.conv.weight" not in weights or "dec.readout.weight" not in weights:
        return None
    width, channels, _, kernel_enc = weights["enc.enc.0.conv.conv.weight"].shape
    num_spatial = _count(weights, r"enc\.enc\.(\d+)\.conv\.conv\.weight")
    num_temporal = _count(weights, r"hid\.enc\.(\d+)\..*")
    last = f"dec.dec.{num_spatial - 1}.conv.conv.weight"
    gate = "hid.enc.{}.block.attn.spatial_gating_unit.conv1.weight"
    first = weights.get(gate.format(0))
    if first is None or first.shape[0] != 2 * first.shape[1]:
        raise NoAdapterError("this SimVP has another translator than gSTA, which has no adapter")
    outer, inner = (weights[gate.format(i)].shape[1] for i in (0, num_temporal - 1))
    out_channels = len(weights["dec.readout.weight"])
    length, side = outer // width, 2 ** (num_spatial // 2)
    given = file.arguments.get("in_shape", file.stated.get("in_shape"))
    shape = (length, channels, side, side) if given is None else tuple(given)
    kwargs = {
        "in_shape": shape,
        "hid_S": width,
        "hid_T": inner,
        "N_S": num_spatial,
        "N_T": num_temporal,
        "mlp_ratio": _mlp_ratio(file, num_temporal),
        "spatio_kernel_enc": kernel_enc,
        "spatio_kernel_dec": weights[last].shape[-1],
        "C_out": out_channels,
        "model_type": file.arguments.get("model_type"),
    }
    source = OPENSTL if out_channels == channels else MINIMAL
    unknown = {"in_shape": (length, channels, "H", "W")} if given is None else {}
    return Found(source, "SimVP_Model", kwargs, ours=unknown)


def _mlp_ratio(file: ForeignFile, num_blocks: int) -> float:
    """Return the ratio, from the file or the shortest number that gives the widths of all blocks.

    A width is ``int(channels * ratio)``, so several ratios give the same net.

    Raises:
        CheckpointError: If no ratio gives the widths.
    """
    layers = (file.weights[f"hid.enc.{i}.block.mlp.fc1.weight"] for i in range(num_blocks))
    sizes = [(layer.shape[1], layer.shape[0]) for layer in layers]
    least = max(hidden / channels for channels, hidden in sizes)
    given = (side.get("mlp_ratio") for side in (file.arguments, file.stated))
    known = [ratio for ratio in given if isinstance(ratio, int | float)]
    shortest = (math.ceil(least * 10**digits) / 10**digits for digits in range(7))
    for ratio in (*known, *shortest):
        if all(int(channels * ratio) == hidden for channels, hidden in sizes):
            return float(ratio)
    raise CheckpointError(
        f"{file.path}: no mlp_ratio gives the widths {sizes} (channels, hidden) of the "
        "feed-forward layers; the weights are not of a SimVP with gSTA"
    )


def _count(weights: Mapping[str, Tensor], pattern: str) -> int:
    found = (re.fullmatch(pattern, key) for key in weights)
    return 1 + max((int(match[1]) for match in found if match), default=-1)
