"""Recurrent cells over sequences and the transformer block, compared with their formulas."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError
from openstl_ext.layers.sequence_rnn import SequenceConvGRU, SequenceConvLSTM
from openstl_ext.layers.transformer_block import TransformerBlock


def test_the_gru_computes_the_equation_of_the_paper() -> None:
    """Swapped gates would train, but be another cell."""
    torch.manual_seed(0)
    layer = SequenceConvGRU(3).double()
    maps = torch.randn(2, 4, 3, 5, 6).double()
    hidden = torch.zeros(2, 3, 5, 6).double()
    for x in maps.unbind(1):
        gates = F.conv2d(
            torch.cat([x, hidden], 1), layer.gates.weight, layer.gates.bias, padding=1
        ).sigmoid()
        reset, update = gates[:, :3], gates[:, 3:]
        read = torch.cat([x, reset * hidden], 1)
        new = F.conv2d(read, layer.candidate.weight, layer.candidate.bias, padding=1).tanh()
        hidden = (1 - update) * hidden + update * new
    torch.testing.assert_close(layer(maps), hidden)


def test_the_lstm_computes_the_equation_of_the_paper() -> None:
    """Swapped gates would train, but be another cell."""
    torch.manual_seed(0)
    layer = SequenceConvLSTM(3).double()
    maps = torch.randn(2, 4, 3, 5, 6).double()
    hidden = cell = torch.zeros(2, 3, 5, 6).double()
    conv = layer.gates.conv
    for x in maps.unbind(1):
        gates = F.conv2d(torch.cat([x, hidden], 1), conv.weight, conv.bias, padding=1)
        write, forget, new, out = gates.chunk(4, dim=1)
        cell = forget.sigmoid() * cell + write.sigmoid() * new.tanh()
        hidden = out.sigmoid() * cell.tanh()
    torch.testing.assert_close(layer(maps), hidden)


@pytest.mark.parametrize("layer", [SequenceConvGRU(3), SequenceConvLSTM(3)], ids=["gru", "lstm"])
def test_a_sequence_can_have_one_step(layer: nn.Module) -> None:
    """Data sets with one image per site could not be used."""
    assert layer(torch.rand(2, 1, 3, 4, 4)).shape == (2, 3, 4, 4)


def test_the_transformer_block_is_the_attention_of_torch_and_an_mlp() -> None:
    """Heads split along the wrong axis would train, but not fit published weights."""
    torch.manual_seed(0)
    block = TransformerBlock(8, num_heads=4, mlp_channels=6).double()
    theirs = nn.MultiheadAttention(8, 4, batch_first=True).double()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.normal_()
        theirs.in_proj_weight.copy_(block.attend.weight)
        theirs.in_proj_bias.copy_(block.attend.bias)
        theirs.out_proj.load_state_dict(block.mix.state_dict())
    tokens = torch.randn(2, 5, 8).double()
    normed = block.attention_norm(tokens)
    expected = tokens + theirs(normed, normed, normed)[0]
    expected = expected + block.narrow(F.gelu(block.widen(block.mlp_norm(expected))))
    torch.testing.assert_close(block(tokens), expected)


def test_dropout_of_the_block_is_active_in_training_only() -> None:
    """Forecasts would differ from call to call."""
    block = TransformerBlock(8, num_heads=2, mlp_channels=6, dropout_prob=0.5)
    tokens = torch.randn(1, 5, 8)
    assert not torch.equal(block(tokens), block(tokens))
    block.eval()
    assert torch.equal(block(tokens), block(tokens))


def test_heads_that_do_not_divide_the_width_are_rejected() -> None:
    """The error would come from a reshape and not name the option."""
    with pytest.raises(ConfigError, match="num_heads must divide the width 8, got 3"):
        TransformerBlock(8, num_heads=3, mlp_channels=6)
