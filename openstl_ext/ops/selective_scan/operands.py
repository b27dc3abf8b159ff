"""Check the arguments of a scan and convert them to the form that every backend takes."""

from math import lcm
from typing import NamedTuple

import torch
from torch import Tensor

from openstl_ext.errors import ShapeError


class Prepared(NamedTuple):
    """Arguments of every backend: one float type, B and C in groups.

    Shape:
        - u, z: (B, Du, L); delta: (B, D, L); A: (D, N); B, C: (B, G, N, L); D, delta_bias: (D,).
    """

    u: Tensor
    delta: Tensor
    A: Tensor
    B: Tensor
    C: Tensor
    D: Tensor | None
    z: Tensor | None
    delta_bias: Tensor | None


def prepared(
    u: Tensor,
    delta: Tensor,
    A: Tensor,  # noqa: N803
    B: Tensor,  # noqa: N803
    C: Tensor,  # noqa: N803
    D: Tensor | None,  # noqa: N803
    z: Tensor | None,
    delta_bias: Tensor | None,
) -> Prepared:
    """Check the tensors, convert them to one float type, and B and C to groups.

    Shape:
        - as in ``Prepared``, but B, C: (D, N), (B, N, L) or (B, G, N, L).

    Raises:
        ShapeError: If the shapes or types do not fit, or would broadcast.
    """
    if u.ndim != 3 or delta.ndim != 3 or A.ndim != 2:
        raise ShapeError(
            f"expected u (B, D, L), delta (B, D, L) and A (D, N), got {_shapes(u, delta, A)}"
        )
    expected = (len(u), len(A), u.shape[2])
    if tuple(delta.shape) != expected or len(A) % u.shape[1] or 0 in expected:
        raise ShapeError(
            f"with u {tuple(u.shape)} and A {tuple(A.shape)}, delta must be {expected} without a "
            f"size of 0, got {tuple(delta.shape)}"
        )
    if z is not None and z.shape != u.shape:
        raise ShapeError(f"expected z of the shape of u, {tuple(u.shape)}, got {tuple(z.shape)}")
    for name, vector in (("D", D), ("delta_bias", delta_bias)):
        if vector is not None and tuple(vector.shape) != (len(A),):
            raise ShapeError(f"expected {name} {(len(A),)}, got {tuple(vector.shape)}")
    for tensor in (u, delta, A, B, C, D, z, delta_bias):
        if tensor is not None and not tensor.is_floating_point():
            raise ShapeError(f"a scan needs real floating-point tensors, got {tensor.dtype}")
    weights = [_grouped(w, delta, A) for w in (B, C)]
    groups = lcm(*(w.shape[1] for w in weights))
    if len(A) % groups:
        raise ShapeError(f"{len(A)} channels cannot be divided into {groups} groups of B and C")
    weights = [w.repeat_interleave(groups // w.shape[1], 1) for w in weights]
    dtype = torch.float64 if u.dtype == torch.float64 else torch.float32
    given = (u, delta, A, *weights, D, z, delta_bias)
    return Prepared(*(None if t is None else t.to(dtype) for t in given))  # type: ignore[arg-type]


def _grouped(weight: Tensor, delta: Tensor, decay: Tensor) -> Tensor:
    """Return B or C as (B, G, N, L); constant ones have G = D groups, one for each channel."""
    batch, channels, length = delta.shape
    num_states = decay.shape[1]
    if tuple(weight.shape) == (channels, num_states):
        return weight[None, :, :, None].expand(batch, -1, -1, length)
    grouped = weight.unsqueeze(1) if weight.ndim == 3 else weight
    expected = (batch, num_states, length)
    if grouped.ndim != 4 or (grouped.shape[0], *grouped.shape[2:]) != expected:
        raise ShapeError(
            f"expected B and C of shape {(channels, num_states)}, {expected} or "
            f"{(batch, 'G', num_states, length)}, got {tuple(weight.shape)}"
        )
    return grouped


def _shapes(*tensors: Tensor) -> str:
    return ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
