"""The transformer block."""

import torch

from openstl_ext.layers.transformer_block import TransformerBlock


def test_drop_path_acts_in_training_only() -> None:
    """A rate in a config would have no effect, as in SMARTIES' code."""
    torch.manual_seed(0)
    block = TransformerBlock(8, num_heads=2, mlp_channels=16, drop_path_prob=0.9)
    tokens = torch.randn(64, 3, 8)
    unchanged = (block(tokens) == tokens).flatten(1).all(1)
    assert 40 < unchanged.sum() < 60  # both branches: 0.81 of the samples
    assert not (block.eval()(tokens) == tokens).flatten(1).all(1).any()


def test_the_epsilon_reaches_both_norms() -> None:
    """Weights that were trained with 1e-6 would give other features."""
    block = TransformerBlock(8, num_heads=2, mlp_channels=16, epsilon=1e-6)
    assert block.attention_norm.eps == block.mlp_norm.eps == 1e-6


def test_gradients_of_attention_in_bf16_are_those_of_float32() -> None:
    """Under autocast the attention that is trained runs in float32 on CPUs."""
    torch.manual_seed(0)
    block = TransformerBlock(16, num_heads=2, mlp_channels=32)
    tokens = torch.randn(4, 6, 16)
    gradients = []
    for enabled in (False, True):
        block.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            out = block(tokens)
        out.float().square().sum().backward()
        gradients.append(block.attend.weight.grad)
    exact, rounded = gradients
    assert exact is not None
    assert rounded is not None
    assert (rounded - exact).norm() < 0.02 * exact.norm()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(block(tokens), out, rtol=0.02, atol=0.05)


def test_some_tokens_are_those_of_all() -> None:
    """The last block of a decoder computes hidden patches only."""
    torch.manual_seed(0)
    block = TransformerBlock(16, num_heads=2, mlp_channels=32)
    tokens, wanted = torch.randn(2, 6, 16), torch.tensor([[4, 1], [0, 5]])
    every, some = block(tokens), block(tokens, wanted)
    for sample in range(2):
        torch.testing.assert_close(some[sample], every[sample, wanted[sample]])
