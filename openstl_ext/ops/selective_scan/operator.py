"""The scan as one PyTorch operator, for tracing, export, compilation and FLOP counts.

A kernel computes the recurrence alone; step sizes, skip, gate and the sum over directions are
computed here, once for all kernels. The kernel is selected when the operator runs, not when it is
traced, so an exported program also runs on machines without the kernel of this one.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from openstl_ext.ops.selective_scan.dispatch import kernel
from openstl_ext.ops.selective_scan.kernel import Operands, num_chunks

NAME = "openstl_ext::selective_scan"
TENSORS = (
    "Tensor u, Tensor delta, Tensor A, Tensor B, Tensor C, Tensor? D, Tensor? z, "
    "Tensor? delta_bias, Tensor? order, bool delta_softplus"
)
DIFFERENTIABLE = 8  # the tensors above, without `order`


@torch.library.custom_op(
    NAME,
    mutates_args=(),
    schema=f"({TENSORS}, bool keep_states, str backend) -> (Tensor, Tensor, Tensor, Tensor)",
)
def scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,  # noqa: N803
    B: Tensor,  # noqa: N803
    C: Tensor,  # noqa: N803
    D: Tensor | None,  # noqa: N803
    z: Tensor | None,
    delta_bias: Tensor | None,
    order: Tensor | None,
    delta_softplus: bool,
    keep_states: bool,
    backend: str,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Scan along every direction and sum the outputs; arguments as in ``selective_scan``.

    ``order`` contains the positions in the order in which each direction visits them; None is one
    direction, from 0 to L-1. ``keep_states`` is True if a backward pass will follow. ``backend`` is
    the name of a kernel or ``auto``.

    Shape:
        - u, z: (B, Du, L); delta: (B, D, L) with D = K * Du; A: (D, N); B, C: (B, G, N, L);
          D, delta_bias: (D,); order: (K, L), K dividing G.
        - returns: output (B, Du, L), last state (B, D, N), and for the backward pass the states
          and, with a gate, the output before it.
    """
    with torch.autocast(u.device.type, enabled=False):
        dt = _step_sizes(delta, delta_bias, delta_softplus)
        operands = _operands(u, dt, A, B, C, order)
        outcome = kernel(backend, u.device, u.dtype).forward(operands, keep_states=keep_states)
        out = outcome.y
        if order is not None:
            out = out.unflatten(1, (len(order), -1)).sum(1)
        if D is not None:
            out.addcmul_(_over_directions(D, u), u)
        ungated = u.new_empty(0)
        if z is not None:
            ungated = out if keep_states else ungated
            out = out * F.silu(z)
    return out, outcome.last, outcome.states, ungated


@scan.register_fake
def _(u, delta, A, B, C, D, z, delta_bias, order, delta_softplus, keep_states, backend):  # type: ignore[no-untyped-def]  # noqa: ARG001, N803
    batch, channels, length = delta.shape
    num_states = A.shape[1]
    kept = (batch, num_chunks(length), num_states, channels) if keep_states else (0,)
    ungated = u.shape if z is not None and keep_states else (0,)
    last = u.new_empty(batch, channels, num_states)
    out = torch.empty_like(u, memory_format=torch.contiguous_format)
    return out, last, u.new_empty(kept), u.new_empty(ungated)


@torch.library.custom_op(
    f"{NAME}_backward",
    mutates_args=(),
    schema=f"(Tensor grad_out, Tensor? grad_last, {TENSORS}, Tensor states, Tensor ungated, "
    "str backend) -> Tensor[]",
)
def scan_backward(
    grad_out: Tensor,
    grad_last: Tensor | None,
    u: Tensor,
    delta: Tensor,
    A: Tensor,  # noqa: N803
    B: Tensor,  # noqa: N803
    C: Tensor,  # noqa: N803
    D: Tensor | None,  # noqa: N803
    z: Tensor | None,
    delta_bias: Tensor | None,
    order: Tensor | None,
    delta_softplus: bool,
    states: Tensor,
    ungated: Tensor,
    backend: str,
) -> list[Tensor]:
    """Compute the gradients of the given tensors, in their order."""
    with torch.autocast(u.device.type, enabled=False):
        directions = 1 if order is None else len(order)
        grad_z = None
        if z is not None:
            gate = torch.sigmoid(z)
            grad_z = grad_out * ungated * gate * (1 + z * (1 - gate))
            grad_out = grad_out * z * gate
        dt = _step_sizes(delta, delta_bias, delta_softplus)
        operands = _operands(u, dt, A, B, C, order)
        after = None if grad_last is None else grad_last.contiguous()
        grads = kernel(backend, u.device, u.dtype).backward(
            operands, states, grad_out.contiguous(), after
        )
        grad_u, grad_delta, grad_d, grad_bias = grads.u, grads.dt, None, None
        if order is not None:
            grad_u = grad_u.unflatten(1, (directions, -1)).sum(1)
        if D is not None:
            grad_u = grad_u.addcmul_(_over_directions(D, u), grad_out)
            grad_d = (grad_out * u).sum((0, 2)).repeat(directions)
        if delta_softplus:
            raw = delta if delta_bias is None else delta + delta_bias[:, None]
            grad_delta = torch.ops.aten.softplus_backward(grad_delta, raw, 1.0, 20.0)
        if delta_bias is not None:
            grad_bias = grad_delta.sum((0, 2))
        made = (grad_u, grad_delta, grads.A, grads.B, grads.C, grad_d, grad_z, grad_bias)
        return [grad.contiguous() for grad in made if grad is not None]


@scan_backward.register_fake
def _(grad_out, grad_last, u, delta, A, B, C, D, z, delta_bias, *rest):  # type: ignore[no-untyped-def]  # noqa: ARG001, N803
    given = (u, delta, A, B, C, D, z, delta_bias)
    return [t.new_empty(t.shape) for t in given if t is not None]


def _setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
    *tensors, ctx.delta_softplus, _, ctx.backend = inputs
    _, _, states, ungated = output
    ctx.mark_non_differentiable(states, ungated)
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*tensors, states, ungated)


def _backward(ctx, grad_out, grad_last, *_):  # type: ignore[no-untyped-def]
    *tensors, states, ungated = ctx.saved_tensors
    given = tensors[:DIFFERENTIABLE]
    if grad_out is None:
        grad_out = torch.zeros_like(given[0])
    made = iter(
        scan_backward(
            grad_out, grad_last, *tensors, ctx.delta_softplus, states, ungated, ctx.backend
        )
    )
    grads = [None if tensor is None else next(made) for tensor in given]
    return *grads, None, None, None, None


scan.register_autograd(_backward, setup_context=_setup_context)


def _step_sizes(delta: Tensor, bias: Tensor | None, softplus: bool) -> Tensor:
    dt = delta if bias is None else delta + bias[:, None]
    return F.softplus(dt) if softplus else dt


def _over_directions(skip: Tensor, u: Tensor) -> Tensor:
    """Sum the skips of all directions, which share one output channel."""
    return skip.view(-1, u.shape[1]).sum(0)[:, None]


def _operands(u: Tensor, dt: Tensor, *others: Tensor | None) -> Operands:
    """Make the operands contiguous: kernels take addresses without strides."""
    given = (u, dt, *others)
    return Operands(*(None if t is None else t.contiguous() for t in given))  # type: ignore[arg-type]
