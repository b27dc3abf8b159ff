"""Transforms between our weights and those of a reference."""

import pytest
import torch
from torch.nn import functional as F

from openstl_ext import interop
from openstl_ext.interop.convlstm import one_convolution_cell
from openstl_ext.interop.weight_transforms import Concatenate, ReorderBlocks, WeightTransform
from openstl_ext.layers.convlstm import ConvLSTMCell, Memory


@pytest.mark.parametrize(
    "transform",
    [
        Concatenate({"a": 2, "b": 4}),
        Concatenate({"a": 3, "b": 5}, axis=0),
        ReorderBlocks("a", (0, 1, 3, 2)),
        ReorderBlocks("a", (1, 2, 3, 0)),
    ],
    ids=str,
)
def test_join_inverts_split(transform: WeightTransform) -> None:
    """Weights are joined and gradients split; a wrong inverse would compare different ones."""
    weight = torch.rand(8, 6)
    assert torch.equal(transform.join(transform.split(weight)), weight)
    assert transform.split(weight).keys() == set(transform.keys)


def test_reordered_gates_give_the_same_cell() -> None:
    """Swapped gates would make every converted checkpoint another net."""
    torch.manual_seed(0)
    cell = ConvLSTMCell(2, 3, kernel_size=3, bias=True).double()
    weight, bias = torch.randn(12, 5, 3, 3).double(), torch.randn(12).double()
    match = interop.StateDictAdapter(cell, one_convolution_cell("", "cell."))
    match.load({"cell.conv.weight": weight, "cell.conv.bias": bias})
    x, hidden, kept = (torch.randn(2, c, 5, 4).double() for c in (2, 3, 3))

    gates = F.conv2d(torch.cat([x, hidden], dim=1), weight, bias, padding=1)
    write, forget, out, new = gates.chunk(4, dim=1)
    expected = forget.sigmoid() * kept + write.sigmoid() * new.tanh()
    output, memory = cell(x, Memory(hidden, kept))
    torch.testing.assert_close(memory.cell, expected)
    torch.testing.assert_close(output, out.sigmoid() * expected.tanh())
    zeros = torch.zeros_like(hidden)
    torch.testing.assert_close(cell(x, None)[0], cell(x, Memory(zeros, zeros))[0])
