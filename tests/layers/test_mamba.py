"""Layers around the selective scan."""

import math

import torch

from openstl_ext.layers.mamba import MambaBlock, step_bias
from openstl_ext.layers.ss2d import SS2D
from openstl_ext.layers.vmrnn_cell import Memory, VMRNNCell


def test_every_pixel_hears_every_other() -> None:
    """A direction that is lost leaves half the map deaf, and still trains."""
    torch.manual_seed(0)
    layer = SS2D(8, kernel_size=1).double()
    x = torch.randn(1, 3, 4, 8).double().requires_grad_()
    layer(x)[0, 1, 2].sum().backward()
    assert (x.grad[0].abs().sum(dim=-1) > 0).all()


def test_four_directions_treat_a_turned_map_alike() -> None:
    """With the same weights for rows and columns a transposed map gives a transposed answer."""
    torch.manual_seed(0)
    layer = SS2D(8, kernel_size=1).double()
    with torch.no_grad():
        for weights in (layer.select_proj, layer.step_proj, layer.step_bias):
            weights.copy_(weights[:1].expand_as(weights))
    x = torch.randn(2, 3, 5, 8).double()
    torch.testing.assert_close(layer(x.transpose(1, 2)), layer(x).transpose(1, 2))
    torch.testing.assert_close(layer(x.flip(1, 2)), layer(x).flip(1, 2))


def test_mamba_hears_the_past_only() -> None:
    """A padding on the wrong side lets the future in."""
    torch.manual_seed(0)
    block = MambaBlock(8).double()
    tokens = torch.randn(1, 6, 8).double().requires_grad_()
    block(tokens)[0, 3].sum().backward()
    heard = tokens.grad[0].abs().sum(dim=-1) > 0
    assert heard.tolist() == [True] * 4 + [False] * 2


def test_time_steps_start_between_their_bounds() -> None:
    """Steps that start too long forget everything, too short ones write nothing."""
    torch.manual_seed(0)
    steps = torch.nn.functional.softplus(step_bias((4, 500)))
    assert 1e-3 * 0.999 <= steps.min() <= steps.max() <= 0.1 * 1.001
    assert abs(steps.log().mean() - math.log(1e-2)) < 0.1  # log-uniform, so the middle is there


def test_one_gate_forgets_writes_and_says() -> None:
    """Someone will take the single gate for a slip and "fix" it: it is the paper's design."""
    torch.manual_seed(0)
    cell = VMRNNCell(8, drop_path_probs=[0.0])
    x, hidden, kept = torch.randn(3, 1, 3, 4, 8).unbind(0)
    said, memory = cell(x, Memory(hidden, kept))
    out = cell.blocks[0](x, hidden)
    expected = out.sigmoid() * (kept + out.tanh())
    torch.testing.assert_close(memory.cell, expected)
    torch.testing.assert_close(said, out.sigmoid() * expected.tanh())


def test_no_memory_is_a_memory_of_zeros() -> None:
    """The first step hears a normalised zero, as upstream's does."""
    torch.manual_seed(0)
    cell = VMRNNCell(8, drop_path_probs=[0.0, 0.0])
    x = torch.randn(1, 3, 4, 8)
    zeros = Memory(torch.zeros_like(x), torch.zeros_like(x))
    torch.testing.assert_close(cell(x, None)[0], cell(x, zeros)[0])
