"""ConvLSTM, as one step."""

import pytest
import torch
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers.convlstm import ConvLSTMCell, Memory
from openstl_ext.models.convlstm import ConvLSTM
from tests.toy_net import toy_net


def test_it_has_the_published_size_without_its_dead_weights() -> None:
    """A size that differs is another net; published tables count weights that nothing uses."""
    net = ConvLSTM(in_channels=2, patch_size=2)
    assert sum(p.numel() for p in net.parameters()) == 14_980_096 - 3_407_872


def test_the_cell_is_the_papers_equation() -> None:
    """The gates are nameless slices of one tensor: a swap trains, and is another cell."""
    torch.manual_seed(0)
    cell = ConvLSTMCell(3, 4, kernel_size=3).double()
    x, hidden, kept = (torch.randn(2, c, 5, 6).double() for c in (3, 4, 4))
    said, memory = cell(x, Memory(hidden, kept))

    weight = cell.gates.conv.weight  # ours is one convolution; the paper's are two
    below = F.conv2d(x, weight[:, :3], padding=1)
    write, forget, new, say = (below + F.conv2d(hidden, weight[:, 3:], padding=1)).split(4, dim=1)
    expected = forget.sigmoid() * kept + write.sigmoid() * new.tanh()
    torch.testing.assert_close(memory.cell, expected)
    torch.testing.assert_close(said, say.sigmoid() * expected.tanh())
    assert said is memory.hidden


def test_the_cell_of_the_published_tables_never_says_what_it_keeps() -> None:
    """Published ConvLSTM rows come from this cell, so a like-for-like run needs it."""
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
    """The first step skips a convolution of zeros; it must be the same step."""
    torch.manual_seed(0)
    net = ConvLSTM(in_channels=2, hidden=(4, 6), kernel_size=3, patch_size=2, layer_norm=layer_norm)
    frame = torch.rand(2, 2, 8, 12)
    zeros = [Memory(*torch.zeros(2, 2, width, 4, 6)) for width in (4, 6)]
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    torch.testing.assert_close(net(frame, None)[0], net(frame, zeros)[0])


def test_what_is_kept_stays_in_float32_under_autocast() -> None:
    """Forty roundings to eight bits add up to a different memory."""
    net = toy_net(ConvLSTM)
    with torch.autocast("cpu", torch.bfloat16):
        frame, state = net(torch.rand(1, 1, 16, 16), None)
        frame, state = net(frame, state)
    assert {memory.cell.dtype for memory in state} == {torch.float32}
    assert {memory.hidden.dtype for memory in state} == {torch.bfloat16}


def test_a_frame_that_patches_do_not_tile_is_refused() -> None:
    """The message has to say what would do."""
    with pytest.raises(ShapeError, match=r"multiples of 4; got 16 x 18"):
        toy_net(ConvLSTM)(torch.rand(1, 1, 16, 18), None)
