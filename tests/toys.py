"""Small instances of registered methods."""

from typing import Any

from torch import nn

from openstl_ext.registry import METHODS
from tests.toy_net import toy_net

__all__ = ["toy_method", "toy_net"]


def toy_method(kind: str | type, net: str | type | nn.Module) -> Any:
    """Build a small method around a net."""
    cls: Any = METHODS.get(kind)
    return cls(**cls.toy_arguments(net if isinstance(net, nn.Module) else toy_net(net)))
