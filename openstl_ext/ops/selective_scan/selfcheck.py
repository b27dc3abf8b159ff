"""Whether a fast scan computes what it should on this machine: a tiny case, both directions.

Compiled kernels have been seen to return nonsense on hardware that they were not built for,
without any error.
"""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from openstl_ext.ops.selective_scan import stepwise
from openstl_ext.ops.selective_scan.kernel import Kernel, Operands
from openstl_ext.ops.selective_scan.reference import reference_scan

Scan = Callable[..., tuple[Tensor, Tensor]]
TOLERANCE = 1e-4  # of the largest value: finds nonsense, forgives another order of summation


def of_kernel(kernel: Kernel, device: torch.device) -> str | None:
    """What is wrong with a kernel, or None."""
    operands = _case(device)
    ours = kernel.forward(operands, keep_states=True)
    right = stepwise.forward(operands, keep_states=True)
    grad_y, grad_last = torch.cos(operands.u), torch.sin(ours.last)
    back = kernel.backward(operands, ours.states, grad_y, grad_last)
    right_back = stepwise.backward(operands, right.states, grad_y, grad_last)
    return _verdict([*ours, *back], [*right, *right_back])


def of_function(scan: Callable[..., tuple[Tensor, Tensor]], device: torch.device) -> str | None:
    """What is wrong with a differentiable scan, or None."""
    results = []
    for function in (scan, cast(Scan, reference_scan)):
        leaves = [t.requires_grad_() for t in _case(device) if t is not None]
        out, last = function(*leaves)
        results.append([out, last, *torch.autograd.grad(out.square().sum(), leaves)])
    return _verdict(*results)


def _verdict(found: list[Tensor], right: list[Tensor]) -> str | None:
    for ours, theirs in zip(found, right, strict=True):
        error = (ours - theirs).abs().max() / theirs.abs().max()
        if not error < TOLERANCE:  # NaN is no agreement
            return f"a test scan came out wrong by {error.item():.1e} of its scale"
    return None


def _case(device: torch.device) -> Operands:
    """Two samples, two groups, a length that no chunk divides; drawn without touching any seed."""

    def wave(*shape: int, pace: float) -> Tensor:
        count = torch.Size(shape).numel()
        return torch.sin(pace * torch.arange(1, count + 1, device=device)).view(shape)

    u, step = wave(2, 4, 19, pace=0.7), wave(2, 4, 19, pace=1.3)
    b, c = wave(2, 2, 8, 19, pace=0.9), wave(2, 2, 8, 19, pace=1.1)
    return Operands(u, 0.2 + 0.1 * step, wave(4, 8, pace=1.7) - 1.5, b, c, None)
