"""Replay the record of OpenSTL's single recurrent cells."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from openstl_ext import interop
from tests.parity import recipe
from tests.parity.drivers import driver
from tests.parity.network_record import distance
from tests.parity.quantity import Quantity


def replay(record: Mapping[str, Any]) -> Iterator[Quantity]:
    """Yield each output of each cell; a cell without an adapter has no error."""
    for name, cell in record["cells"].items():
        cell = {**cell, "reference": record["reference"]}
        try:
            match = interop.adapter_of(
                record["reference"]["repo"], cell["class"], constructor_arguments(cell)
            )
        except interop.NoAdapterError:
            yield Quantity(name, None)
            continue
        match.load(recipe.weights(cell))
        with torch.no_grad():
            outputs = driver(cell)(match.net.eval(), cell, recipe.inputs(cell))
        for number, (ours, theirs) in enumerate(
            zip(outputs.values(), cell["outputs"], strict=True)
        ):
            yield distance(f"{name}.outputs[{number}]", ours, theirs)


def constructor_arguments(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Infer the arguments of a cell from its shapes, because the record does not contain them."""
    keys, (below, hidden, *_) = cell["keys"], (entry["shape"] for entry in cell["inputs"])
    first = next((shape for key, shape in keys.items() if key.endswith("0.weight")), [0])
    return {
        "in_channel": below[1],
        "num_hidden": hidden[1],
        "height": below[-2],
        "width": below[-1],
        "filter_size": first[-1],
        "stride": 1,
        "layer_norm": any(".1." in key for key in keys),
    }
