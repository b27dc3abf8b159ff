"""Small instances of registered nets."""

from typing import Any

import torch
from torch import nn

from openstl_ext.interfaces import TOY_SHAPE, FittedFrameModel, provides
from openstl_ext.registry import MODELS


def toy_net(kind: Any) -> nn.Module:
    """Build a small net for frames of ``TOY_SHAPE`` from a class or its registered name.

    A net with a closed-form fit is fitted to constant frames, because it cannot forecast before.
    """
    cls = MODELS.get(kind) if isinstance(kind, str) else kind
    net = cls(**cls.toy_arguments())
    if provides(net, FittedFrameModel):
        hours = 3600 * torch.arange(24).view(-1, TOY_SHAPE[0])
        net.fit([{"frames": torch.full(TOY_SHAPE, 0.5), "times": times} for times in hours])
    return net
