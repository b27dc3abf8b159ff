"""Adapters for VMRNN, in both versions of its repository, and for its parts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interop.checkpoints import ForeignFile, Found, recognises
from openstl_ext.interop.state_dict_adapter import Kwargs, StateDictAdapter, register_adapter
from openstl_ext.layers.ss2d import SS2D, StateSpaceBlock
from openstl_ext.layers.vmrnn_cell import VMRNNCell
from openstl_ext.models.vmrnn import VMRNNB, VMRNND

VMRNN = "yyyujintang/VMRNN-PyTorch"

# (ours, theirs): regular expressions, applied in this order to a key of ours.
SCAN = (
    (r"\bselect_proj$", "x_proj_weight"),
    (r"\bstep_proj$", "dt_projs_weight"),
    (r"\bstep_bias$", "dt_projs_bias"),
    (r"\bdecay_log$", "A_logs"),
    (r"\bskip$", "Ds"),
    (r"\bconv\.", "conv2d."),
    (r"\bnorm\.", "out_norm."),
)
BLOCK = (
    (r"^norm\.", "ln_1."),
    (r"^mix\.", "linear."),
    (r"^attention\.", "self_attention."),
)
HEAD = (
    (r"^inflate\.grow\.(\d+)\.(\d+)\.", lambda m: f"HEAD.Conv_.{3 * int(m[1]) + int(m[2])}."),
    (r"^inflate\.read\.", "HEAD.Conv."),
)
NET_B = ((r"^embed\.", "ST.patch_embed."), (r"\bHEAD\b", "ST.patch_inflated"))
NET_D = (
    (r"^embed\.", "Downsample.patch_embed."),
    (r"^down_cells\.", "Downsample.layers."),
    (r"^merge\.", "Downsample.downsample."),
    (r"^up_cells\.", "Upsample.layers."),
    (r"^expand\.", "Upsample.upsample."),
    (r"\bHEAD\b", "Upsample.Unembed"),
)
UNUSED = ("*VSBs.[1-9]*.linear.*", "Upsample.patch_embed.*")


@register_adapter("VMRNN_B_Model", VMRNN)
def openstl_b(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of VMRNN-B in OpenSTL's framework: one cell, one depth."""
    configs = kwargs["configs"]
    return _net_b(
        [(r"^cells\.0\.", "ST.layer.")],
        in_channels=configs["in_shape"][1],
        channels=configs["embed_dim"],
        depths=(int(configs["depths"]),),
        patch_size=configs["patch_size"],
        drop_path_prob=configs.get("drop_path_rate", 0.1),
        dropout_prob=configs.get("attn_drop_rate", 0.0),
    )


@register_adapter("VMRNN (VMRNN_B.py)", VMRNN)
def mmnist_b(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of VMRNN-B in the Moving MNIST folder: one cell per depth."""
    return _net_b(
        [(r"^cells\.", "ST.layers.")],
        in_channels=kwargs["in_chans"],
        channels=kwargs["embed_dim"],
        depths=_numbers(kwargs["depths"]),
        patch_size=kwargs["patch_size"],
        drop_path_prob=kwargs.get("drop_path_rate", 0.1),
        dropout_prob=kwargs.get("attn_drop_rate", 0.0),
    )


@register_adapter("VMRNN_D_Model", VMRNN)
def openstl_d(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of VMRNN-D in OpenSTL's framework."""
    configs = kwargs["configs"]
    return _net_d(
        kwargs,
        in_channels=configs["in_shape"][1],
        channels=configs["embed_dim"],
        patch_size=configs["patch_size"],
    )


@register_adapter("VMRNN (VMRNN_D.py)", VMRNN)
def mmnist_d(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of VMRNN-D in the Moving MNIST folder, with the same names."""
    return _net_d(
        kwargs,
        in_channels=kwargs["in_chans"],
        channels=kwargs["embed_dim"],
        patch_size=kwargs["patch_size"],
    )


@register_adapter("VMRNNCell", VMRNN)
def cell(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of one cell."""
    probs = kwargs.get("drop_path", 0.0)
    net = VMRNNCell(
        kwargs["hidden_dim"],
        drop_path_probs=probs if isinstance(probs, list) else [probs] * kwargs["depth"],
        state_size=kwargs.get("d_state", 16),
        dropout_prob=kwargs.get("attn_drop", 0.0),
    )
    return StateDictAdapter(net, _theirs(net, ()), unused=UNUSED)


@register_adapter("VSB", VMRNN)
def block(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of one block; its default epsilon differs from that of all callers."""
    plain = str(kwargs.get("norm_layer", "")).startswith("nn.LayerNorm")
    net = StateSpaceBlock(
        kwargs["hidden_dim"],
        recurrent=True,
        state_size=kwargs.get("d_state", 16),
        drop_path_prob=kwargs.get("drop_path", 0.0),
        dropout_prob=kwargs.get("attn_drop_rate", 0.0),
        norm_eps=1e-5 if plain else 1e-6,
    )
    return StateDictAdapter(net, {key: _of_block(key) for key in net.state_dict()})


@register_adapter("SS2D", VMRNN)
def ss2d(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the scan in four directions."""
    rank = kwargs.get("dt_rank", "auto")
    net = SS2D(
        kwargs["d_model"],
        state_size=kwargs.get("d_state", 16),
        kernel_size=kwargs.get("d_conv", 3),
        expand=kwargs.get("expand", 2),
        step_rank=None if rank == "auto" else rank,
        conv_bias=kwargs.get("conv_bias", True),
        bias=kwargs.get("bias", False),
        dropout_prob=kwargs.get("dropout", 0.0),
    )
    return StateDictAdapter(net, {key: _renamed(key, SCAN) for key in net.state_dict()})


def _net_b(layers: Sequence[tuple[Any, Any]], **arguments: Any) -> StateDictAdapter:
    net = VMRNNB(**arguments)
    return StateDictAdapter(net, _theirs(net, (*HEAD, *layers, *NET_B)), UNUSED, arguments)


def _net_d(kwargs: Kwargs, **arguments: Any) -> StateDictAdapter:
    arguments |= {
        "depths_down": _numbers(kwargs["depths_downsample"]),
        # Upstream: the list is read in reverse (VMRNN_modules.py, UpSample.__init__)
        "depths_up": _numbers(kwargs["depths_upsample"])[::-1],
        "drop_path_prob": kwargs.get("drop_path_rate", 0.1),
    }
    net = VMRNND(**arguments)
    return StateDictAdapter(net, _theirs(net, (*HEAD, *NET_D)), UNUSED, arguments)


def _theirs(net: nn.Module, names: Sequence[tuple[Any, Any]]) -> dict[str, str]:
    """Map each of our keys to the key of the reference, outside and inside of the blocks."""
    theirs = {}
    for key in net.state_dict():
        outside, *inside = re.split(r"blocks\.(\d+)\.", key)
        theirs[key] = _renamed(outside, names)
        if inside:
            number, rest = inside
            theirs[key] += f"VSBs.{number}.{_of_block(rest)}"
    return theirs


def _of_block(key: str) -> str:
    outer, _, inner = _renamed(key, BLOCK).partition("self_attention.")
    return f"self_attention.{_renamed(inner, SCAN)}" if inner else outer


def _renamed(key: str, names: Sequence[tuple[Any, Any]]) -> str:
    for ours, theirs in names:
        key = re.sub(ours, theirs, key)
    return key


def _numbers(depths: Any) -> tuple[int, ...]:
    """Parse depths given as a list or in the form of upstream's command line, "2,6"."""
    parts = depths.split(",") if isinstance(depths, str) else depths
    try:
        return tuple(int(part) for part in parts)
    except (TypeError, ValueError):
        raise ConfigError(f"depths must be like '2,6' or [2, 6], got {depths!r}") from None


@recognises(VMRNN)
def vmrnn_arguments(file: ForeignFile) -> Found | None:
    """Infer the arguments of VMRNN from its weights, except drop rates."""
    weights = file.weights
    embeds = ("ST.patch_embed.proj.weight", "Downsample.patch_embed.proj.weight")
    embed = next((weights[key] for key in embeds if key in weights), None)
    if embed is None or not any(".VSBs." in key for key in weights):
        return None
    channels, in_channels, patch, _ = embed.shape
    configs: dict[str, Any] = {
        "in_shape": (1, in_channels),
        "embed_dim": channels,
        "patch_size": patch,
    }
    if embeds[1] in weights:
        depths = {
            f"depths_{way.lower()}": _depths(weights, rf"{way}\.layers\.(\d+)\.")
            for way in ("Downsample", "Upsample")
        }
        depths["depths_upsample"].reverse()  # as upstream spells it
        return Found(VMRNN, "VMRNN_D_Model", {**depths, "configs": configs})
    if any(key.startswith("ST.layer.") for key in weights):
        (depth,) = _depths(weights, r"ST\.(layer)\.")
        return Found(VMRNN, "VMRNN_B_Model", {"configs": {**configs, "depths": depth}})
    kwargs: dict[str, Any] = {"in_chans": in_channels, "embed_dim": channels, "patch_size": patch}
    kwargs["depths"] = _depths(weights, r"ST\.layers\.(\d+)\.")
    return Found(VMRNN, "VMRNN (VMRNN_B.py)", kwargs)


def _depths(weights: Mapping[str, Tensor], prefix: str) -> list[int]:
    """Count the blocks of each cell whose keys have a prefix, in order."""
    counts: dict[str, int] = {}
    for key in weights:
        if found := re.match(prefix + r"VSBs\.(\d+)\.", key):
            counts[found[1]] = max(counts.get(found[1], 0), int(found[2]) + 1)
    return [counts[name] for name in sorted(counts, key=lambda name: (len(name), name))]
