"""Dilated depthwise convolution by phases, compared with the one of torch."""

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.layers.dilated_depthwise_conv import DilatedDepthwiseConv2d, merge, split
from openstl_ext.layers.memory_format import published_order

SIZES = [(2, 4, 9, 9), (1, 3, 7, 11), (2, 2, 1, 2), (3, 5, 16, 16), (1, 2, 20, 26)]


def outputs_and_gradients(layer: nn.Module, x: Tensor) -> list[Tensor]:
    """Compute the output and the gradients of a loss with a different weight for each pixel."""
    x = x.clone().requires_grad_()
    out = layer(x)
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    return [out.detach(), *torch.autograd.grad((out * weights).sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("taps", "dilation"), [(7, 3), (5, 2), (3, 1)])
def test_it_equals_the_dilated_convolution_of_torch(
    size: tuple[int, ...], taps: int, dilation: int, memory_format: torch.memory_format
) -> None:
    """Published weights would give other outputs on a CPU than on a GPU."""
    torch.manual_seed(0)
    layer = DilatedDepthwiseConv2d(size[1], kernel_size=taps, dilation=dilation).double()
    plain = nn.Conv2d(
        *(size[1], size[1], taps), padding=taps // 2 * dilation, dilation=dilation, groups=size[1]
    ).double()
    plain.load_state_dict(layer.state_dict(), strict=True)
    x = torch.randn(size, dtype=torch.float64).contiguous(memory_format=memory_format)
    pairs = zip(*(outputs_and_gradients(conv, x) for conv in (layer, plain)), strict=True)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [(4, 8, 16, 16), (2, 8, 30, 40)], ids=str)
def test_in_float32_it_is_as_exact_as_the_convolution_of_torch(size: tuple[int, ...]) -> None:
    """Additional rounding errors would be amplified in deep nets."""
    torch.manual_seed(0)
    layer = DilatedDepthwiseConv2d(size[1], kernel_size=7, dilation=3)
    x = torch.randn(size)
    ours = outputs_and_gradients(layer, x)
    with published_order():
        plain = outputs_and_gradients(layer, x)
        exact = outputs_and_gradients(layer.double(), x.double())
    for a, b, expected in zip(ours, plain, exact, strict=True):
        scale = expected.abs().max()
        error, reference = ((v.double() - expected).abs().max() / scale for v in (a, b))
        assert error < 2 * reference + 3e-6  # kernels of different processors round differently


def test_autograd_agrees_with_finite_differences() -> None:
    """The hand-written gradients would be wrong."""
    torch.manual_seed(0)
    layer = DilatedDepthwiseConv2d(2, kernel_size=3, dilation=2).double()
    x = torch.randn(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, *_: layer(x), (x, *layer.parameters()))


def test_under_bf16_autocast_it_computes_in_bf16_with_float32_gradients() -> None:
    """Autocast does not cast autograd functions; the layer would stay slow or fail."""
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


def test_frozen_weights_get_no_gradient() -> None:
    """Fine-tuning with frozen layers would fail in autograd."""
    layer = DilatedDepthwiseConv2d(2, kernel_size=3, dilation=2).requires_grad_(False)
    x = torch.randn(1, 2, 6, 6, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None


def test_a_trace_contains_the_published_operator() -> None:
    """FLOP counters only count known operators and would miss this layer."""
    layer = DilatedDepthwiseConv2d(2, kernel_size=3, dilation=2)
    graph = str(torch.jit.trace(layer, torch.randn(1, 2, 6, 6)).inlined_graph)
    assert "aten::_convolution" in graph
    assert "PythonOp" not in graph


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_merge_inverts_split(size: tuple[int, ...]) -> None:
    """Pixels would be convolved with the wrong taps."""
    x = torch.randn(size)
    phases = split(x, 3)
    assert torch.equal(merge(phases, x.shape, 3), x)
    assert phases.abs().sum() == pytest.approx(x.abs().sum().item(), rel=1e-5)  # padding is zero
