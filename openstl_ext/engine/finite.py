"""Find values of a run's state that are NaN or infinite, before they are saved."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from openstl_ext.errors import NonFiniteError

Place = tuple[Any, ...]
"""Keys and indices that lead to a value in nested dicts and lists."""

STARTS = ("best", "best_score", "rule_worse", "mode_worse")
"""Plain values that are infinite until the first score."""


def reject_non_finite(state: Any, parameters: Sequence[str] = ()) -> None:
    """Raise if a value of nested dicts and lists is NaN or infinite, before it is saved.

    Args:
        state: Content of a checkpoint.
        parameters: Names of the optimiser's parameters, in its order, for the message.

    Raises:
        NonFiniteError: With the first names.
    """
    if names := non_finite(state, parameters):
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        raise NonFiniteError(
            f"state that is not finite was not saved: {', '.join(names[:3])}{more}; the last "
            "checkpoint is intact; lower the learning rate or clip gradients"
        )


def non_finite(state: Any, parameters: Sequence[str] = ()) -> list[str]:
    """Return the names of values that are NaN or infinite.

    One reduction covers all tensors; they are looked at one by one only after it failed.
    """
    values = list(leaves(state))
    tensors = [v for _, v in values if isinstance(v, Tensor)]
    bad = [p for p, v in values if not isinstance(v, Tensor) and not _is_valid(p, v)]
    if not _are_finite(tensors):
        bad += [p for p, v in values if isinstance(v, Tensor) and not bool(v.isfinite().all())]
    return [name_of(place, parameters) for place in bad]


def leaves(part: Any, place: Place = ()) -> Iterator[tuple[Place, Tensor | float]]:
    """Yield all floating tensors and floats of nested dicts and lists, with their places."""
    if isinstance(part, Tensor):
        if (part.is_floating_point() or part.is_complex()) and part.numel():
            yield place, part.detach()
    elif isinstance(part, float):
        yield place, part
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from leaves(value, (*place, key))
    elif isinstance(part, (list, tuple)):
        for index, value in enumerate(part):
            yield from leaves(value, (*place, index))


def name_of(place: Place, parameters: Sequence[str]) -> str:
    """Return the name of a place: a weight, or the state of the optimiser for a weight."""
    match place:
        case ("state_dict", name):
            return str(name)
        case ("optimizer", "state", int(index), name) if index < len(parameters):
            return f"{name} of {parameters[index]}"
    return ".".join(map(str, place))


def _is_valid(place: Place, value: float) -> bool:
    """Return whether a plain value is finite, or infinite where a score is awaited."""
    return math.isfinite(value) or (math.isinf(value) and place[-1] in STARTS)


def _are_finite(tensors: list[Tensor]) -> bool:
    real = [torch.view_as_real(t) if t.is_complex() else t for t in tensors]
    if not real:
        return True
    # the largest magnitude does not overflow, as a sum of squares would
    return bool(torch.nn.utils.get_total_norm(real, norm_type=math.inf).isfinite())
