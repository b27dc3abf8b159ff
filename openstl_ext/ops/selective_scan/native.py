"""Scan in C++ for CPUs, float32: ``scan.cpp`` called through ctypes."""

import ctypes

import torch
from torch import Tensor

from openstl_ext.ops.selective_scan.compiled import library
from openstl_ext.ops.selective_scan.kernel import (
    CHUNK,
    Gradients,
    Operands,
    Outcome,
    num_chunks,
)

LANES = 16  # of a vector; only the distribution of work depends on it
TASKS = 32  # enough for the threads of a desktop; fixed, so that results do not depend on threads


class _Sizes(ctypes.Structure):
    """``Sizes`` of scan.cpp."""

    _fields_ = [
        (name, ctypes.c_int64)
        for name in ("batch", "channels", "shared", "length", "states", "groups", "directions")
    ]


def forward(operands: Operands, *, keep_states: bool) -> Outcome:
    """Scan along L; see ``kernel.Kernel``."""
    u, dt, a, b, c, _ = operands
    order = _order(operands)
    batch, channels, length = dt.shape
    num_states = a.shape[1]
    y = torch.empty_like(dt)
    last = dt.new_empty(batch, num_states, channels)
    kept = (batch, num_chunks(length), num_states, channels) if keep_states else (0,)
    states = dt.new_empty(kept)
    tensors = (u, dt, a.t().contiguous(), b, c, order, y, last, states if keep_states else None)
    _call("scan_forward", operands, tensors)
    return Outcome(y, last.transpose(1, 2).contiguous(), states)


def backward(
    operands: Operands, states: Tensor, grad_y: Tensor, grad_last: Tensor | None
) -> Gradients:
    """Compute the gradients from saved states; see ``kernel.Kernel``."""
    u, dt, a, b, c, _ = operands
    order = _order(operands)
    a_t = a.t().contiguous()
    after = None if grad_last is None else grad_last.transpose(1, 2).contiguous()
    pairs, vectors = len(b) * b.shape[1], len(a) // b.shape[1] // LANES
    parts = max(1, min(TASKS // pairs, vectors))
    grad_u, grad_dt = torch.empty_like(dt), torch.empty_like(dt)
    grad_a = a.new_empty(len(u), *a_t.shape)
    grad_b, grad_c = b.new_empty(parts, *b.shape), c.new_empty(parts, *c.shape)
    given = (u, dt, a_t, b, c, order, states, grad_y, after)
    made = (grad_u, grad_dt, grad_a, grad_b, grad_c)
    _call("scan_backward", operands, (*given, *made), ctypes.c_int64(parts))
    return Gradients(grad_u, grad_dt, grad_a.sum(0).t(), grad_b.sum(0), grad_c.sum(0))


def _order(operands: Operands) -> Tensor:
    if operands.order is None:
        return torch.arange(operands.dt.shape[-1]).unsqueeze(0)
    return operands.order


def _call(
    name: str, operands: Operands, tensors: tuple[Tensor | None, ...], *numbers: ctypes.c_int64
) -> None:
    """Run a function of the library; the caller keeps the tensors alive until it returns."""
    loaded = library()
    assert loaded.scan_chunk() == CHUNK, "scan.cpp and kernel.py differ in CHUNK"
    u, dt, a, b, _, order = operands
    directions = 1 if order is None else len(order)
    sizes = _Sizes(*dt.shape[:2], u.shape[1], dt.shape[2], a.shape[1], b.shape[1], directions)
    assert all(t is None or t.is_contiguous() for t in tensors), "a raw pointer has no strides"
    pointers = [ctypes.c_void_p(None if t is None else t.data_ptr()) for t in tensors]
    getattr(loaded, name)(ctypes.byref(sizes), *numbers, *pointers, torch.get_num_threads())
