"""Layers of SimVP, compared with closed forms."""

import math

import pytest
import torch
from torch import nn

from openstl_ext.layers.drop_path import DropPath
from openstl_ext.layers.gsta import (
    BlockStack,
    GatedSpatialAttention,
    GSTABlock,
    TemporalAttention,
    init_fan_out,
    wide_kernel_sizes,
)
from openstl_ext.layers.memory_format import published_order
from openstl_ext.layers.scaling_conv import ScalingConv


def test_drop_path_drops_complete_samples_and_keeps_the_expectation() -> None:
    """The regularisation would differ from the configured rate."""
    torch.manual_seed(0)
    drop = DropPath(0.25).train()
    out = drop(torch.ones(4000, 2, 3))
    values = out.flatten(1)
    assert torch.equal(values.amin(1), values.amax(1))
    assert sorted(set(values[:, 0].tolist())) == pytest.approx([0, 4 / 3])
    assert out.mean().item() == pytest.approx(1, abs=0.05)


def test_drop_path_is_inactive_in_evaluation_and_drops_all_at_one() -> None:
    """Forecasts would be random, or a rate of one would divide by zero."""
    x = torch.randn(3, 2)
    assert DropPath(0.5).eval()(x) is x
    assert torch.equal(DropPath(1.0).train()(x), torch.zeros_like(x))


@pytest.mark.parametrize(("wide", "dilation", "sizes"), [(21, 3, (5, 7)), (20, 3, (5, 5))])
def test_a_large_kernel_is_factored_as_published(
    wide: int, dilation: int, sizes: tuple[int, int]
) -> None:
    """Published weights would not fit."""
    assert wide_kernel_sizes(wide, dilation) == sizes


def test_the_gate_is_the_second_half() -> None:
    """Published weights would load without an error and give wrong outputs."""
    layer = GatedSpatialAttention(2).requires_grad_(False)
    layer.mix.weight.zero_()
    layer.mix.bias.copy_(torch.tensor([3.0, 5.0, 0.0, -math.log(3)]))
    out = layer(torch.randn(1, 2, 4, 4))
    torch.testing.assert_close(out[0, :, 0, 0], torch.tensor([3 / 2, 5 / 4]))


@pytest.mark.parametrize(("channels", "narrow"), [(16, 4), (128, 16), (512, 16)])
def test_temporal_attention_squeezes_to_about_16_units(channels: int, narrow: int) -> None:
    """Published weights would not fit: upstream uses the quotient as the reduction."""
    assert TemporalAttention(channels).squeeze.weight.shape == (narrow, channels)


@pytest.mark.parametrize(("scale", "side"), [("down", 4), ("same", 8), ("up", 16)])
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_a_scaling_conv_changes_the_size(scale: str, side: int, kernel_size: int) -> None:
    """The size would differ from that of the skip connection."""
    layer = ScalingConv(3, 4, kernel_size=kernel_size, scale=scale)  # type: ignore[arg-type]
    assert layer(torch.randn(2, 3, 8, 8)).shape == (2, 4, side, side)


def test_doubling_in_the_fast_order_is_the_published_shuffle() -> None:
    """Neighbouring pixels of the output would be swapped."""
    torch.manual_seed(0)
    layer = ScalingConv(3, 4, kernel_size=3, scale="up").double()
    x = torch.randn(2, 3, 5, 7, dtype=torch.float64, requires_grad=True)
    leaves = [x, *layer.parameters()]
    fast = layer(x)
    with published_order():
        plain = layer(x)
    torch.testing.assert_close(fast, plain, rtol=1e-12, atol=1e-12)
    pairs = zip(*(torch.autograd.grad((o**3).sum(), leaves) for o in (fast, plain)), strict=True)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_initial_weights_have_the_published_distribution() -> None:
    """Training would start from another distribution than in the published experiments."""
    torch.manual_seed(0)
    conv = ScalingConv(64, 64, kernel_size=3).conv
    assert conv.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert conv.bias is not None
    assert not conv.bias.any()
    grouped = nn.Conv2d(256, 256, 7, groups=256)
    init_fan_out(grouped)
    assert grouped.weight.std().item() == pytest.approx(math.sqrt(2 / 49), rel=0.05)
    block = GSTABlock(64, mlp_ratio=2)
    assert block.feed_forward.widen.weight.std().item() == pytest.approx(0.125, rel=0.05)
    assert block.scale1.unique().item() == block.scale2.unique().item() == pytest.approx(0.01)


def test_only_the_first_block_of_a_stack_has_the_outer_width() -> None:
    """Published weights would not fit."""
    made: list[tuple[int, float]] = []

    def block(width: int, prob: float) -> nn.Module:
        made.append((width, prob))
        return nn.Identity()

    stack = BlockStack(block, channels=6, hidden_channels=4, num_blocks=3, drop_path=0.0)
    assert [width for width, _ in made] == [6, 4, 4]
    assert [prob for _, prob in made] == pytest.approx([0.01, 0.005, 0.0])  # with drop_path=0
    assert stack(torch.randn(1, 6, 2, 2)).shape == (1, 6, 2, 2)
    equal = BlockStack(block, channels=4, hidden_channels=4, num_blocks=2, drop_path=0.0)
    assert not list(equal.parameters())  # equal widths need no resizing
