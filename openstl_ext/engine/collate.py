"""Stack items into a batch."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.utils.data import default_collate

from openstl_ext.errors import DataError
from openstl_ext.registry import FUNCTIONS


def layout(item: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return type and shape of every field: ``inputs.frames: float32 (10, 1, 64, 64)``."""
    return {
        f"{side}.{name}": (
            f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
            if isinstance(value, Tensor)
            else type(value).__name__
        )
        for side, fields in item.items()
        for name, value in fields.items()
    }


@FUNCTIONS.register_module()
def collate(items: Sequence[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Tensor]]:
    """Stack items that have the same fields with the same shapes.

    torch's own collate drops fields that the first item does not have, and its message about
    shapes names no field. In configs this is ``openstl_ext.collate``, the default of every loader.

    Args:
        items: Items of the dataset, one per sample.

    Raises:
        DataError: If the items differ, with the first different field in both.
    """
    first = layout(items[0])
    for position, item in enumerate(items[1:], start=1):
        if (other := layout(item)) == first:
            continue
        field = next(k for k in {**first, **other} if first.get(k) != other.get(k))
        raise DataError(
            f"the samples of a batch differ in {field}: sample 0 has {first.get(field, 'none')}, "
            f"sample {position} has {other.get(field, 'none')}; return equal shapes in the "
            "dataset, or set batch_size=1"
        )
    return default_collate(list(items))
