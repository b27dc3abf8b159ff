"""Weights of our checkpoints under the names of the published files of another system."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from openstl_ext.interop.checkpoints import OWN_METADATA
from openstl_ext.interop.state_dict_adapter import NoAdapterError, StateDictAdapter

Describe = Callable[[nn.Module, Mapping[str, Any]], tuple[StateDictAdapter, Mapping[str, Any]]]
_TABLE: dict[str, Describe] = {}


def exports(*nets: str) -> Callable[[Describe], Describe]:
    """Register a function for methods around some nets.

    It receives the method and its block of the config, and returns the adapter of the method, and
    arguments of the net that the weights do not show.

    Args:
        nets: Registered names of nets.
    """

    def register(describe: Describe) -> Describe:
        _TABLE.update(dict.fromkeys(nets, describe))
        return describe

    return register


def export(method: nn.Module, model: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the weights of a method under the names of another system, and metadata of the file.

    ``convert`` of a file with both gives the weights back bit for bit.

    Args:
        method: The method, with the weights to export.
        model: Model block of its config.

    Raises:
        NoAdapterError: If files of this net or of this method have no published layout.
    """
    net = type(method.get_submodule("net")).__name__
    if net not in _TABLE:
        raise NoAdapterError(
            f"weights of {net} have no published layout to export; those of "
            f"{', '.join(sorted(_TABLE))} have one"
        )
    match, arguments = _TABLE[net](method, model)
    weights = {key: value.contiguous() for key, value in match.split(method.state_dict()).items()}
    # readers of other programs take the format of the framework from it
    return weights, {"format": "pt", OWN_METADATA: json.dumps(arguments)}
