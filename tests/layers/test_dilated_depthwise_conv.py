"""The convolution without gaps is the one with gaps."""

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.layers.dilated_depthwise_conv import DilatedDepthwiseConv2d, merge, split
from openstl_ext.layers.memory_format import published_order

SIZES = [(2, 4, 9, 9), (1, 3, 7, 11), (2, 2, 1, 2), (3, 5, 16, 16), (1, 2, 20, 26)]


def answers(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """The output, and the gradients of a loss that weighs every pixel differently."""
    x = x.clone().requires_grad_()
    out = layer(x)
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    return [out.detach(), *torch.autograd.grad((out * weights).sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("taps", "dilation"), [(7, 3), (5, 2), (3, 1)])
def test_it_equals_the_plain_convolution(
    size: tuple[int, ...], taps: int, dilation: int, layout: torch.memory_format
) -> None:
    """Published weights would answer something else on a CPU than on a GPU."""
    torch.manual_seed(0)
    layer = DilatedDepthwiseConv2d(size[1], kernel_size=taps, dilation=dilation).double()
    plain = nn.Conv2d(
        *(size[1], size[1], taps), padding=taps // 2 * dilation, dilation=dilation, groups=size[1]
    ).double()
    plain.load_state_dict(layer.state_dict(), strict=True)
    x = torch.randn(size, dtype=torch.float64).contiguous(memory_format=layout)
    for ours, theirs in zip(answers(layer, x), answers(plain, x), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [(4, 8, 16, 16), (2, 8, 30, 40)], ids=str)
def test_in_float32_it_is_as_exact_as_the_plain_convolution(size: tuple[int, ...]) -> None:
    """A rearrangement that adds rounding would show in every untrained deep net."""
    torch.manual_seed(0)
    layer = DilatedDepthwiseConv2d(size[1], kernel_size=7, dilation=3)
    x = torch.randn(size)
    ours = answers(layer, x)
    with published_order():
        plain = answers(layer, x)
        exact = answers(layer.double(), x.double())
    for a, b, truth in zip(ours, plain, exact, strict=True):
        scale = truth.abs().max()
        error, reference = ((v.double() - truth).abs().max() / scale for v in (a, b))
        assert error < 2 * reference + 3e-6  # a processor's own kernels round differently


def test_autograd_agrees_with_finite_differences() -> None:
    """The gradients are written by hand."""
    torch.manual_seed(0)
    layer = DilatedDepthwiseConv2d(2, kernel_size=3, dilation=2).double()
    x = torch.randn(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()))


def test_under_bf16_autocast_it_computes_in_bf16_and_learns_in_float32() -> None:
    """Autograd functions are not cast by themselves: it would silently stay slow, or fail."""
    torch.manual_seed(0)
    layer = DilatedDepthwiseConv2d(4, kernel_size=7, dilation=3)
    x = torch.randn(2, 4, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        out = layer(x)
        with published_order():
            plain = layer(x)
    assert out.dtype == plain.dtype == torch.bfloat16
    torch.testing.assert_close(out, plain, rtol=1e-2, atol=1e-2)
    out.float().square().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32


def test_frozen_weights_cost_no_gradient() -> None:
    """Fine-tuning freezes layers; a gradient for what has none would be an error of autograd."""
    layer = DilatedDepthwiseConv2d(2, kernel_size=3, dilation=2).requires_grad_(False)
    x = torch.randn(1, 2, 6, 6, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None


def test_a_trace_shows_the_published_operator() -> None:
    """A FLOP counter knows convolutions and would miss anything else."""
    layer = DilatedDepthwiseConv2d(2, kernel_size=3, dilation=2)
    graph = str(torch.jit.trace(layer, torch.randn(1, 2, 6, 6)).inlined_graph)
    assert "aten::_convolution" in graph
    assert "PythonOp" not in graph


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_phases_merge_to_what_was_split(size: tuple[int, ...]) -> None:
    """A pixel in the wrong phase is seen by the wrong tap."""
    x = torch.randn(size)
    phases = split(x, 3)
    assert torch.equal(merge(phases, x.shape, 3), x)
    assert phases.abs().sum() == pytest.approx(x.abs().sum().item(), rel=1e-5)  # the rest is zero
