"""1x1 convolution as a matrix product, compared with the convolution of torch."""

import pytest
import torch
from torch import nn

from openstl_ext.layers.gsta import PointwiseConv2d
from openstl_ext.layers.memory_format import published_order


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("learning", [False, True])
def test_in_bf16_it_equals_the_convolution_of_torch(
    memory_format: torch.memory_format, learning: bool
) -> None:
    """The faster computation in bf16 would change the outputs."""
    torch.manual_seed(0)
    layer = PointwiseConv2d(6, 4)
    x = torch.randn(2, 6, 5, 7).contiguous(memory_format=memory_format).requires_grad_(learning)
    grad = torch.randn(2, 4, 5, 7)
    results = []
    for plain in (False, True):
        with torch.autocast("cpu", torch.bfloat16):
            if plain:
                with published_order():
                    out = layer(x)
            else:
                out = layer(x)
        assert out.dtype == torch.bfloat16
        leaves = [x, *layer.parameters()] if learning else [*layer.parameters()]
        results.append([out, *torch.autograd.grad(out, leaves, grad.bfloat16())])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=2e-2, atol=2e-2)


def test_in_float32_it_is_the_convolution_of_torch() -> None:
    """Published weights would not load, or outputs would change in the last bits."""
    layer, plain = PointwiseConv2d(6, 4), nn.Conv2d(6, 4, 1)
    plain.load_state_dict(layer.state_dict(), strict=True)
    x = torch.randn(2, 6, 5, 7)
    assert torch.equal(layer(x), plain(x))
