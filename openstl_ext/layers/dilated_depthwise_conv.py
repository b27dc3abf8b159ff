"""Dilated depthwise convolution, computed as dense convolutions of the phases of an image."""

from functools import lru_cache
from itertools import product
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from openstl_ext.layers.memory_format import prefers_fast_layout

# Largest phase image, in pixels, whose weight gradient is computed from all pairs of its pixels.
# The cost grows with the square; above about this size the library's own kernel is faster.
MAX_PAIRED_PIXELS = 64


class DilatedDepthwiseConv2d(nn.Conv2d):
    """Dilated depthwise convolution that keeps H and W and is also fast on CPUs.

    CPU libraries have no kernel for dilated depthwise convolutions and run them at 2 % of the
    machine's rate. The pixels under a kernel of dilation d are d apart, so each of the d*d phases
    of an image is convolved on its own by a dense kernel, in channels-last order. Outputs equal
    those of ``nn.Conv2d`` up to rounding, and the names of the weights are the same. At dilation 1
    only the gradient of the weight is computed in another way.

    Args:
        channels: Width C of input and output.
        kernel_size: Side of the kernel in taps; odd.
        dilation: Spacing of the taps, in pixels.

    Shape:
        - input, output: (N, C, H, W), any H and W.
    """

    def __init__(self, channels: int, *, kernel_size: int, dilation: int) -> None:
        super().__init__(
            channels,
            channels,
            kernel_size,
            padding=kernel_size // 2 * dilation,
            dilation=dilation,
            groups=channels,
        )

    def forward(self, x: Tensor) -> Tensor:
        if not prefers_fast_layout(x):
            return super().forward(x)
        weight, bias = self.weight, cast(Tensor, self.bias)
        if torch.is_autocast_enabled(x.device.type) and x.dtype != torch.float64:
            low = torch.get_autocast_dtype(x.device.type)  # autocast does not cast a Function
            x, weight, bias = (t.to(low) for t in (x, weight, bias))
        return _PhaseConvolution.apply(x, weight, bias, self.dilation[0])


class _PhaseConvolution(Function):
    """Split into phases, convolve and merge, also for the gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dilation: int) -> Tensor:
        phases = split(x, dilation)
        ctx.save_for_backward(phases, weight)
        ctx.dilation, ctx.size = dilation, x.shape
        taps = weight.shape[-1]
        out = F.conv2d(phases, weight, bias, padding=taps // 2, groups=len(weight))
        return merge(out, x.shape, dilation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        phases, weight = ctx.saved_tensors
        grad = split(grad, ctx.dilation)
        want_x, want_weight, want_bias, _ = ctx.needs_input_grad
        grad_x = grad_weight = None
        if want_x:
            grad_x, _, _ = _convolution_backward(phases, grad, weight, want=0)
            grad_x = merge(grad_x, ctx.size, ctx.dilation)
        if want_weight:
            grad_weight = weight_gradient(phases, grad, weight)
        return grad_x, grad_weight, grad.sum((0, 2, 3)) if want_bias else None, None


def split(x: Tensor, dilation: int) -> Tensor:
    """Return the phases of an image as separate images; smaller ones are padded with zeros.

    Shape:
        - x: (N, C, H, W); returns: (d*d*N, C, ceil(H/d), ceil(W/d)), channels last.
    """
    if dilation == 1:
        return x.contiguous(memory_format=torch.channels_last)
    (n, c, *size), d = x.shape, dilation
    height, width = (-(-side // d) for side in size)
    equal = height * d == size[0] and width * d == size[1]  # all phases have the same size
    new = x.new_empty if equal else x.new_zeros
    phases = new(d, d, n, height, width, c)
    channels_last = x.permute(0, 2, 3, 1)
    for i, j in product(range(d), repeat=2):
        phase = channels_last[:, i::d, j::d]
        phases[i, j, :, : phase.shape[1], : phase.shape[2]] = phase
    return phases.flatten(0, 2).permute(0, 3, 1, 2)


def merge(phases: Tensor, size: torch.Size, dilation: int) -> Tensor:
    """Assemble an image from its phases: the inverse of ``split``.

    Shape:
        - phases: (d*d*N, C, h, w); returns: (N, C, H, W) of the given size, channels last.
    """
    if dilation == 1:
        return phases
    (n, c, height, width), d = size, dilation
    x = phases.new_empty(n, height, width, c)
    parts = phases.permute(0, 2, 3, 1).unflatten(0, (d, d, n))
    for i, j in product(range(d), repeat=2):
        target = x[:, i::d, j::d]
        target.copy_(parts[i, j, :, : target.shape[1], : target.shape[2]])
    return x.permute(0, 3, 1, 2)


def weight_gradient(x: Tensor, grad: Tensor, weight: Tensor) -> Tensor:
    """Compute the weight gradient of a dense depthwise convolution.

    Libraries compute it at a fraction of the rate of the other gradients. For small images, one
    matrix product sums all pairs of an input and an output pixel over the batch; the pairs at each
    distance are then summed. The sums are in float32 or wider.

    Shape:
        - x, grad: (M, C, h, w), channels last; weight, returns: (C, 1, k, k).
    """
    wide = torch.promote_types(x.dtype, torch.float32)
    (m, c, height, width), taps = x.shape, weight.shape[-1]
    if height * width > MAX_PAIRED_PIXELS:
        _, out, _ = _convolution_backward(x.to(wide), grad.to(wide), weight.to(wide), want=1)
        return out.to(weight.dtype)
    planes = (
        t.permute(0, 2, 3, 1).reshape(-1, c).t().contiguous().view(c, m, -1).to(wide)
        for t in (x, grad)
    )
    pairs = torch.bmm(next(planes).transpose(1, 2), next(planes))
    out = pairs.flatten(1) @ _distances(height, width, taps, wide)
    return out.view(c, 1, taps, taps).to(weight.dtype)


@lru_cache(maxsize=32)
def _distances(height: int, width: int, taps: int, dtype: torch.dtype) -> Tensor:
    """Return 1 where the offset of an input from an output pixel is that of a tap, else 0.

    Shape:
        - returns: (h*w * h*w, k*k), the input pixel is the slower index.
    """
    row = torch.arange(height).repeat_interleave(width)
    column = torch.arange(width).repeat(height)
    down, right = (p[:, None] - p[None, :] + taps // 2 for p in (row, column))
    inside = (down >= 0) & (down < taps) & (right >= 0) & (right < taps)
    tap = torch.where(inside, down * taps + right, taps * taps)
    return F.one_hot(tap.flatten(), taps * taps + 1)[:, :-1].to(dtype)


def _convolution_backward(
    x: Tensor, grad: Tensor, weight: Tensor, *, want: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute a gradient with the library's kernel; want: 0 for the input, 1 for the weight."""
    pad, mask = weight.shape[-1] // 2, [want == 0, want == 1, False]
    return torch.ops.aten.convolution_backward(
        *(grad, x, weight, None, [1, 1], [pad, pad], [1, 1], False, [0, 0], len(weight), mask)
    )
