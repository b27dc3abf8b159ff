"""Mamba of state-spaces."""

from openstl_ext.interop.counterparts import Counterpart, Kwargs, builds
from openstl_ext.layers.mamba_block import MambaBlock

THEIRS = {
    "in_proj": "in_proj",
    "conv.conv": "conv1d",
    "select_proj": "x_proj",
    "step_proj": "dt_proj",
    "out_proj": "out_proj",
}


@builds("Mamba", "state-spaces/mamba")
def mamba(kwargs: Kwargs) -> Counterpart:
    """The block of the first Mamba."""
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
    return Counterpart(net, dict(theirs))
