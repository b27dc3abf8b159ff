"""Initial weights that keep the size of gradients."""

import math

from torch import nn


def init_fan_out(module: nn.Module) -> None:
    """Draw the weights of every convolution from N(0, 2 / fan-out); set its bias to zero.

    The fan-out of a grouped convolution counts one group, unlike ``kaiming_normal_``.

    Args:
        module: Searched with all its children.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            fan_out = math.prod(part.kernel_size) * part.out_channels // part.groups
            nn.init.normal_(part.weight, std=math.sqrt(2 / fan_out))
            if part.bias is not None:
                nn.init.zeros_(part.bias)
