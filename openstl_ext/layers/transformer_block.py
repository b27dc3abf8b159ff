"""Transformer block with pre-norm."""

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError
from openstl_ext.layers.drop_path import DropPath


class TransformerBlock(nn.Module):
    """Residual block: self-attention over all tokens, then an MLP, each after a layer norm.

    There is no position encoding.

    Args:
        channels: Width D of a token.
        num_heads: Heads of the attention; must divide D.
        mlp_channels: Hidden width of the MLP.
        dropout_prob: Dropout of attention weights and of both MLP layers, in training.
        drop_path_prob: Probability that a branch of a sample is dropped in training.
        epsilon: Added to the variances of the norms.

    Shape:
        - tokens: (B, N, D); wanted: (B, K), places of the tokens to return, or None for all;
          returns: (B, K, D) or (B, N, D).

    Raises:
        ConfigError: If the heads do not divide the width.

    Source:
        Vaswani et al. (arXiv:1706.03762) with the norms of Xiong et al. (arXiv:2002.04745);
        weights drawn as in ``torch.nn.MultiheadAttention``.
    """

    def __init__(
        self,
        channels: int,
        *,
        num_heads: int,
        mlp_channels: int,
        dropout_prob: float = 0.0,
        drop_path_prob: float = 0.0,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        if channels % num_heads:
            raise ConfigError(f"num_heads must divide the width {channels}, got {num_heads}")
        self.num_heads = num_heads
        self.dropout_prob = dropout_prob
        self.attention_norm = nn.LayerNorm(channels, eps=epsilon)
        self.attend = nn.Linear(channels, 3 * channels)
        self.mix = nn.Linear(channels, channels)
        self.mlp_norm = nn.LayerNorm(channels, eps=epsilon)
        self.widen = nn.Linear(channels, mlp_channels)
        self.narrow = nn.Linear(mlp_channels, channels)
        self.dropout = nn.Dropout(dropout_prob)
        self.drop_path = DropPath(drop_path_prob)
        nn.init.xavier_uniform_(self.attend.weight)
        nn.init.zeros_(self.attend.bias)
        nn.init.zeros_(self.mix.bias)

    def forward(self, tokens: Tensor, wanted: Tensor | None = None) -> Tensor:
        attended = self._attention(self.attention_norm(tokens), wanted)
        tokens = _taken(tokens, wanted) + self.drop_path(attended)
        hidden = self.dropout(F.gelu(self.widen(self.mlp_norm(tokens))))
        return tokens + self.drop_path(self.dropout(self.narrow(hidden)))

    def _attention(self, tokens: Tensor, wanted: Tensor | None) -> Tensor:
        query, key, value = rearrange(
            self.attend(tokens), "b n (three g d) -> three b g n d", three=3, g=self.num_heads
        )
        if wanted is not None:
            query = _taken(query, wanted[:, None].expand(-1, self.num_heads, -1))
        dropout = self.dropout_prob if self.training else 0.0
        # On CPUs the library's attention has a gradient in bf16 that takes 3 to 9 times as long.
        if query.requires_grad and query.device.type == "cpu" and query.dtype == torch.bfloat16:
            with torch.autocast("cpu", enabled=False):
                mean = F.scaled_dot_product_attention(
                    query.float(), key.float(), value.float(), dropout_p=dropout
                )
        else:
            mean = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
        return self.mix(rearrange(mean.to(query.dtype), "b g n d -> b n (g d)"))


def _taken(tokens: Tensor, wanted: Tensor | None) -> Tensor:
    """Return some tokens (..., K, D) of (..., N, D); all without places (..., K)."""
    if wanted is None:
        return tokens
    return tokens.gather(-2, wanted.unsqueeze(-1).expand(*wanted.shape, tokens.shape[-1]))
