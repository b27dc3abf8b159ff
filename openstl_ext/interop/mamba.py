"""Adapter for the Mamba block of state-spaces."""

from openstl_ext.interop.state_dict_adapter import Kwargs, StateDictAdapter, register_adapter
from openstl_ext.layers.mamba import MambaBlock

THEIRS = {
    "in_proj": "in_proj",
    "conv.conv": "conv1d",
    "select_proj": "x_proj",
    "step_proj": "dt_proj",
    "out_proj": "out_proj",
}


@register_adapter("Mamba", "state-spaces/mamba")
def mamba(kwargs: Kwargs) -> StateDictAdapter:
    """Return the adapter of the block of Mamba 1."""
    rank = kwargs.get("dt_rank", "auto")
    net = MambaBlock(
        kwargs["d_model"],
        state_size=kwargs.get("d_state", 16),
        kernel_size=kwargs.get("d_conv", 4),
        expand=kwargs.get("expand", 2),
        step_rank=None if rank == "auto" else rank,
        conv_bias=kwargs.get("conv_bias", True),
        bias=kwargs.get("bias", False),
    )
    theirs = {"decay_log": "A_log", "skip": "D"}
    for key in net.state_dict().keys() - theirs.keys():
        layer, _, part = key.rpartition(".")
        theirs[key] = f"{THEIRS[layer]}.{part}"
    return StateDictAdapter(net, dict(theirs))
