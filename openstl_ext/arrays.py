"""Arrays of a user as checked tensors, and as the samples that metrics receive."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from openstl_ext.errors import ConfigError, DataError, ShapeError, nearest
from openstl_ext.structures import Sample

AnyArray = NDArray[Any] | Tensor

SHAPES = {
    "frames": ("(T, C, H, W)", "(B, T, C, H, W)"),
    "labels": ("(H, W)", "(B, H, W)"),
}
"""Shape of one sample and of a batch."""
SHARED = ("weight", "quantile_levels")
"""Fields of a sample that are equal for all samples, so they have no batch axis."""


def batch_of(name: str, array: AnyArray, kind: str) -> tuple[Tensor, bool]:
    """Convert an array to a batch in float32 or, for labels, int64.

    Args:
        name: Name of the argument, for messages.
        array: NumPy array or tensor of real numbers.
        kind: ``frames`` or ``labels``.

    Returns:
        The batch, and whether the array was one sample without a batch axis.

    Raises:
        ConfigError: If it is no array of real numbers.
        ShapeError: If its number of axes is wrong, or it is empty.
    """
    tensor = tensor_of(name, array)
    single, batch = SHAPES[kind]
    ranks = [shape.count(",") + 1 for shape in (single, batch)]
    if tensor.ndim not in ranks or not tensor.numel():
        raise ShapeError(f"{name} has shape {tuple(tensor.shape)}, expected {single} or {batch}")
    is_single = tensor.ndim == ranks[0]
    tensor = tensor.float() if kind == "frames" else tensor.long()
    return (tensor[None] if is_single else tensor), is_single


def tensor_of(name: str, array: AnyArray) -> Tensor:
    """Return an array as a tensor.

    Raises:
        ConfigError: If it is no array of real numbers.
    """
    if isinstance(array, Tensor) and not array.is_complex():
        return array.detach()
    if isinstance(array, np.ndarray) and array.dtype.kind in "fiub":
        native = array.astype(array.dtype.newbyteorder("="))  # torch has no other byte order
        return torch.from_numpy(native)
    kind = getattr(array, "dtype", type(array).__name__)
    raise ConfigError(
        f"{name} is of type {kind}, expected a NumPy array or a torch tensor of real numbers"
    )


def mask_of(valid: AnyArray | None, like: Tensor, *, is_single: bool) -> Tensor:
    """Return a validity mask for a batch; None means valid everywhere.

    Raises:
        ConfigError: If it is no array.
        ShapeError: If it is shaped differently.
    """
    if valid is None:
        return torch.ones_like(like, dtype=torch.bool)
    mask = tensor_of("valid", valid).bool().to(like.device)
    mask = mask[None] if is_single else mask
    if mask.shape != like.shape:
        expected = tuple(like.shape[is_single:])
        raise ShapeError(f"valid has shape {tuple(valid.shape)}, expected {expected}")
    return mask


def check_finite(name: str, values: Tensor, mask: Tensor) -> None:
    """Raise if a valid value is NaN or infinite.

    Raises:
        DataError: With the number of such values.
    """
    if bad := int((~values.isfinite() & mask).sum()):
        raise DataError(
            f"{name} has {bad:,} values of {values.numel():,} that are NaN or infinite; replace "
            "them, or pass valid= with False where there is no data"
        )


def samples_of(
    answer: AnyArray,
    target: AnyArray,
    valid: AnyArray | None,
    fields: Mapping[str, AnyArray],
    *,
    kind: str,
) -> list[Sample]:
    """Split predictions and targets into samples, as a method returns them.

    Args:
        answer: Predicted frames or labels.
        target: Observed frames or labels.
        valid: True where the target exists; None means everywhere.
        fields: Further fields of a sample.
        kind: ``frames`` or ``labels``.

    Raises:
        ConfigError: If a sample has no such field.
        DataError: If a valid pixel is not finite.
        ShapeError: If shapes do not fit.
    """
    name = "forecast" if kind == "frames" else "labels"
    predicted, is_single = batch_of("forecast", answer, kind)
    observed, _ = batch_of("target", target, kind)
    if answer.shape != target.shape:
        raise ShapeError(
            f"the forecast has shape {tuple(answer.shape)}, the target {tuple(target.shape)}; "
            "they must be equal"
        )
    observed = observed.to(predicted.device)
    mask = mask_of(valid, observed, is_single=is_single)
    check_finite("forecast", predicted, mask)
    check_finite("target", observed, mask)
    columns = {name: predicted, "target": observed, "valid": mask}
    shared = {"weight": torch.ones(predicted.shape[-2:], device=predicted.device)}
    for field, value in fields.items():
        if field not in Sample.__annotations__:
            raise ConfigError(
                f"no sample has a field {field!r}; {nearest(field, Sample.__annotations__)}"
            )
        tensor = tensor_of(field, value).float().to(predicted.device)
        if field in SHARED:
            shared[field] = tensor
        else:
            columns[field] = tensor[None] if is_single else tensor
    return [
        {**{k: v[i] for k, v in columns.items()}, **shared}  # type: ignore[typeddict-item]
        for i in range(len(predicted))
    ]
