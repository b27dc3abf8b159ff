"""Replay the recorded sizes of nets at their published configurations."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from openstl_ext import interop
from tests.parity.network_record import relative
from tests.parity.quantity import Quantity

CLASSES = {"SimVP": "SimVP_Model", "ConvLSTM": "ConvLSTM_Model"}
"""Class of each method whose unused parameters can be counted without its keys."""


def replay(record: Mapping[str, Any]) -> Iterator[Quantity]:
    """Yield the number of parameters of each net; a net that is not compared has no error."""
    for group in record["groups"].values():
        source = group["reference"]["repo"]
        for name, model in group["models"].items():
            try:
                yield relative(f"{name}.n_params", num_parameters(source, model), model["n_params"])
            except interop.NoAdapterError:
                yield Quantity(name, None)


def num_parameters(source: str, model: Mapping[str, Any]) -> int:
    """Count the parameters of our net for a config, and those that only the reference creates.

    Raises:
        NoAdapterError: If there is none, or the config is not recorded.
    """
    config = model.get("config")
    if model.get("method") not in CLASSES or not isinstance(config, Mapping):
        raise interop.NoAdapterError("no adapter, or no config")
    configs = {**config, "in_shape": model["in_shape"]}
    widths = [int(width) for width in config.get("num_hidden", "").split(",") if width]
    kwargs = {**configs, "num_hidden": widths, "configs": configs}
    with torch.device("meta" if widths else "cpu"):  # SimVP reads a tensor when it is built
        net = interop.adapter_of(source, CLASSES[model["method"]], kwargs).net
    # two convolutions of each cell of a ConvLSTM, `conv_o` and `conv_last`, are never used
    unused = sum(2 * width**2 * (config["filter_size"] ** 2 + 1) for width in widths)
    return unused + sum(parameter.numel() for parameter in net.parameters())
