"""Compare the net of a converted checkpoint with that of a config."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openstl_ext.errors import CheckpointError
from openstl_ext.registry import MODELS

NOT_IN_WEIGHTS = ("cell", "patch_size", "num_heads")
"""Arguments that change a forecast, but not the shape of any weight."""


def check_converted_net(
    saved: Mapping[str, Any], model: Mapping[str, Any], path: Path | str
) -> None:
    """Reject converted weights whose net computes something else than the net of a config.

    Weights of another cell, patch size or number of heads load without an error.

    Args:
        saved: Content of the checkpoint; others than converted ones are not compared.
        model: Model block of the config.
        path: File of the checkpoint, for the message.

    Raises:
        CheckpointError: If an argument differs.
    """
    meta, net = saved.get("meta"), model.get("net")
    if (
        not isinstance(meta, Mapping)
        or "converted_from" not in meta
        or not isinstance(net, Mapping)
    ):
        return
    theirs = meta.get("net") or {}
    parameters = inspect.signature(MODELS.get(net["type"])).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    ours = {**defaults, **net}
    for name in NOT_IN_WEIGHTS:
        if name in theirs and name in ours and theirs[name] != ours[name]:
            raise CheckpointError(
                f"{path} was converted for a net with {name}={theirs[name]!r}, but the config has "
                f"{name}={ours[name]!r}; set model.net.{name}={theirs[name]} (--cfg-options), or "
                f"convert again with --net {name}={ours[name]} if that is the net of the weights"
            )
