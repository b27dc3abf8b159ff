"""Small instances of registered nets and methods."""

from typing import Any

import torch
from torch import nn

from openstl_ext.interfaces import TOY_SHAPE, FittedFrameModel, provides
from openstl_ext.registry import METHODS, MODELS


def toy_net(kind: str | type) -> nn.Module:
    """Build a small net for frames of ``TOY_SHAPE``, fitted if its interface has a fit."""
    cls: Any = MODELS.get(kind)
    if not hasattr(cls, "toy_arguments"):
        return cls.toy()
    net = cls(**cls.toy_arguments())
    if provides(net, FittedFrameModel):
        net.fit([{"frames": torch.full(TOY_SHAPE, 0.5)}])
    return net


def toy_method(kind: str | type, net: str | type | nn.Module) -> Any:
    """Build a small method around a net."""
    cls: Any = METHODS.get(kind)
    return cls(**cls.toy_arguments(net if isinstance(net, nn.Module) else toy_net(net)))
