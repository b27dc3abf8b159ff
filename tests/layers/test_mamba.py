"""Layers around the selective scan."""

import math

import torch

from openstl_ext.layers.mamba import MambaBlock, step_bias
from openstl_ext.layers.ss2d import SS2D
from openstl_ext.layers.vmrnn_cell import Memory, VMRNNCell


def test_every_pixel_depends_on_every_other() -> None:
    """With a missing direction, half of the map would have no context, but training would run."""
    torch.manual_seed(0)
    layer = SS2D(8, kernel_size=1).double()
    x = torch.randn(1, 3, 4, 8).double().requires_grad_()
    layer(x)[0, 1, 2].sum().backward()
    assert (x.grad[0].abs().sum(dim=-1) > 0).all()


def test_with_equal_weights_a_transposed_map_gives_a_transposed_output() -> None:
    """Rows and columns would be scanned in different ways."""
    torch.manual_seed(0)
    layer = SS2D(8, kernel_size=1).double()
    with torch.no_grad():
        for weights in (layer.select_proj, layer.step_proj, layer.step_bias):
            weights.copy_(weights[:1].expand_as(weights))
    x = torch.randn(2, 3, 5, 8).double()
    torch.testing.assert_close(layer(x.transpose(1, 2)), layer(x).transpose(1, 2))
    torch.testing.assert_close(layer(x.flip(1, 2)), layer(x).flip(1, 2))


def test_mamba_depends_on_past_tokens_only() -> None:
    """Padding on the wrong side would let future tokens change the output."""
    torch.manual_seed(0)
    block = MambaBlock(8).double()
    tokens = torch.randn(1, 6, 8).double().requires_grad_()
    block(tokens)[0, 3].sum().backward()
    used = tokens.grad[0].abs().sum(dim=-1) > 0
    assert used.tolist() == [True] * 4 + [False] * 2


def test_time_steps_start_between_their_bounds() -> None:
    """Steps that are too long forget the state; steps that are too short write nothing."""
    torch.manual_seed(0)
    steps = torch.nn.functional.softplus(step_bias((4, 500)))
    assert 1e-3 * 0.999 <= steps.min() <= steps.max() <= 0.1 * 1.001
    assert abs(steps.log().mean() - math.log(1e-2)) < 0.1  # log-uniform


def test_the_cell_has_one_gate_for_forget_input_and_output() -> None:
    """The cell would differ from the paper, whose single gate looks like an error but is not."""
    torch.manual_seed(0)
    cell = VMRNNCell(8, drop_path_probs=[0.0])
    x, hidden, kept = torch.randn(3, 1, 3, 4, 8).unbind(0)
    output, memory = cell(x, Memory(hidden, kept))
    out = cell.blocks[0](x, hidden)
    expected = out.sigmoid() * (kept + out.tanh())
    torch.testing.assert_close(memory.cell, expected)
    torch.testing.assert_close(output, out.sigmoid() * expected.tanh())


def test_no_memory_is_a_memory_of_zeros() -> None:
    """The first step would differ from upstream's, which normalises zeros."""
    torch.manual_seed(0)
    cell = VMRNNCell(8, drop_path_probs=[0.0, 0.0])
    x = torch.randn(1, 3, 4, 8)
    zeros = Memory(torch.zeros_like(x), torch.zeros_like(x))
    torch.testing.assert_close(cell(x, None)[0], cell(x, zeros)[0])
