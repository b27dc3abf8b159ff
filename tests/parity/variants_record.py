"""Replay a record that holds one class in several variants."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.parity import network_record
from tests.parity.quantity import Quantity


def replay(record: Mapping[str, Any]) -> Iterator[Quantity]:
    """Every quantity of every variant."""
    for number, variant in enumerate(record["variants"]):
        whole = {**variant, "reference": record["reference"]}
        for quantity in network_record.replay(whole):
            yield Quantity(f"variants[{number}].{quantity.name}", quantity.error)
