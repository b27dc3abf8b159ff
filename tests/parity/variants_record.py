"""Replay a record that contains one class in several variants."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.parity import network_record
from tests.parity.quantity import Quantity

SHARED = ("reference", "class", "kwargs", "inputs")
"""Fields that variants can share."""


def replay(record: Mapping[str, Any]) -> Iterator[Quantity]:
    """Yield every quantity of every variant; variants are a list, or a mapping by name."""
    shared = {field: record[field] for field in SHARED if field in record}
    variants = record["variants"]
    entries = variants.items() if isinstance(variants, Mapping) else enumerate(variants)
    for name, variant in entries:
        for quantity in network_record.replay({**shared, **variant}):
            yield Quantity(f"variants[{name}].{quantity.name}", quantity.error)
