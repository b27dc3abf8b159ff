"""ConvLSTM, one step at a time."""

import pytest
import torch
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers.convlstm import ConvLSTMCell, Memory
from openstl_ext.models.convlstm import ConvLSTM
from tests.toy_net import toy_net


def test_it_has_the_published_size_without_unused_weights() -> None:
    """Another number of parameters is another net; published tables include unused weights."""
    net = ConvLSTM(in_channels=2, patch_size=2)
    assert sum(p.numel() for p in net.parameters()) == 14_980_096 - 3_407_872


def test_the_cell_computes_the_equation_of_the_paper() -> None:
    """Swapped gates would train, but be another cell."""
    torch.manual_seed(0)
    cell = ConvLSTMCell(3, 4, kernel_size=3).double()
    x, hidden, kept = (torch.randn(2, c, 5, 6).double() for c in (3, 4, 4))
    output, memory = cell(x, Memory(hidden, kept))

    weight = cell.gates.conv.weight  # one convolution in place of the paper's two
    from_input = F.conv2d(x, weight[:, :3], padding=1)
    gates = from_input + F.conv2d(hidden, weight[:, 3:], padding=1)
    write, forget, new, out = gates.split(4, dim=1)
    expected = forget.sigmoid() * kept + write.sigmoid() * new.tanh()
    torch.testing.assert_close(memory.cell, expected)
    torch.testing.assert_close(output, out.sigmoid() * expected.tanh())
    assert output is memory.hidden


def test_the_output_of_the_published_tables_cell_ignores_the_cell_state() -> None:
    """Published ConvLSTM rows come from this cell, so a comparable run needs it."""
    torch.manual_seed(0)
    cell = ConvLSTMCell(3, 4, kernel_size=3, output="published_tables")
    x, hidden = torch.randn(1, 3, 5, 6), torch.randn(1, 4, 5, 6)
    little, _ = cell(x, Memory(hidden, torch.zeros(1, 4, 5, 6)))
    much, _ = cell(x, Memory(hidden, torch.full((1, 4, 5, 6), 9.0)))
    assert torch.equal(little, much)

    with pytest.raises(ConfigError, match="published_tables"):
        ConvLSTM(in_channels=1, cell="old")


@pytest.mark.parametrize("layer_norm", [None, (8, 12)])
def test_no_memory_is_a_memory_of_zeros(layer_norm: tuple[int, int] | None) -> None:
    """The first step, which skips the convolution of zeros, would differ from the others."""
    torch.manual_seed(0)
    net = ConvLSTM(in_channels=2, hidden=(4, 6), kernel_size=3, patch_size=2, layer_norm=layer_norm)
    frame = torch.rand(2, 2, 8, 12)
    zeros = [Memory(*torch.zeros(2, 2, width, 4, 6)) for width in (4, 6)]
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    torch.testing.assert_close(net(frame, None)[0], net(frame, zeros)[0])


def test_the_cell_state_stays_in_float32_under_autocast() -> None:
    """Rounding to bf16 at each of forty steps would add up."""
    net = toy_net(ConvLSTM)
    with torch.autocast("cpu", torch.bfloat16):
        frame, state = net(torch.rand(1, 1, 16, 16), None)
        frame, state = net(frame, state)
    assert {memory.cell.dtype for memory in state} == {torch.float32}
    assert {memory.hidden.dtype for memory in state} == {torch.bfloat16}


def test_a_frame_that_is_not_a_multiple_of_the_patch_is_rejected() -> None:
    """Users could not see which sizes are possible."""
    with pytest.raises(ShapeError, match=r"multiples of 4; got 16 x 18"):
        toy_net(ConvLSTM)(torch.rand(1, 1, 16, 18), None)
