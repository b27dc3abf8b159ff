"""Compare a fast scan with the reference on this machine: a small case, forward and backward.

Compiled kernels can return wrong values without an error on hardware that they were not built for.
"""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from openstl_ext.ops.selective_scan import stepwise
from openstl_ext.ops.selective_scan.kernel import Kernel, Operands
from openstl_ext.ops.selective_scan.reference import reference_scan

Scan = Callable[..., tuple[Tensor, Tensor]]
TOLERANCE = 1e-4  # of the largest value; allows another order of summation


def of_kernel(kernel: Kernel, device: torch.device) -> str | None:
    """Return the error of a kernel as a sentence, or None."""
    operands = _case(device)
    ours = kernel.forward(operands, keep_states=True)
    expected = stepwise.forward(operands, keep_states=True)
    grad_y, grad_last = torch.cos(operands.u), torch.sin(ours.last)
    gradients = kernel.backward(operands, ours.states, grad_y, grad_last)
    expected_gradients = stepwise.backward(operands, expected.states, grad_y, grad_last)
    return _compare([*ours, *gradients], [*expected, *expected_gradients])


def of_function(scan: Callable[..., tuple[Tensor, Tensor]], device: torch.device) -> str | None:
    """Return the error of a differentiable scan as a sentence, or None."""
    results = []
    for function in (scan, cast(Scan, reference_scan)):
        leaves = [t.requires_grad_() for t in _case(device) if t is not None]
        out, last = function(*leaves)
        results.append([out, last, *torch.autograd.grad(out.square().sum(), leaves)])
    return _compare(*results)


def _compare(results: list[Tensor], expected: list[Tensor]) -> str | None:
    for ours, theirs in zip(results, expected, strict=True):
        error = (ours - theirs).abs().max() / theirs.abs().max()
        if not error < TOLERANCE:  # also if it is NaN
            return f"a test scan has an error of {error.item():.1e} of its scale"
    return None


def _case(device: torch.device) -> Operands:
    """Return two samples, two groups and a length that no chunk divides, without a random draw."""

    def wave(*shape: int, pace: float) -> Tensor:
        count = torch.Size(shape).numel()
        return torch.sin(pace * torch.arange(1, count + 1, device=device)).view(shape)

    u, step = wave(2, 4, 19, pace=0.7), wave(2, 4, 19, pace=1.3)
    b, c = wave(2, 2, 8, 19, pace=0.9), wave(2, 2, 8, 19, pace=1.1)
    return Operands(u, 0.2 + 0.1 * step, wave(4, 8, pace=1.7) - 1.5, b, c, None)
