"""Decoder of a masked autoencoder: patches of all bands from the tokens that are not hidden."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.layers.position_table import (
    resized_positions,
    sincos_positions,
    with_resized_positions,
)
from openstl_ext.layers.spectral_encoder import EPSILON
from openstl_ext.layers.spectrum_projection import band_weights
from openstl_ext.layers.transformer_block import TransformerBlock


class SpectralDecoder(nn.Module):
    """Transformer over all patches, and a linear head for each learned band.

    The head of an interpolated band is the same mean of heads as its projection.

    Args:
        in_channels: Width of a token of the encoder.
        image_size: Height and width of the images, in pixels; other sizes get interpolated
            positions.
        patch_size: Side p of a patch, in pixels.
        channels: Width D of a token.
        depth: Number of blocks.
        num_heads: Heads of the attention.
        learned: Number of bands with heads of their own.
        mixing: Weights of the learned heads in each interpolated one.
        mlp_ratio: Hidden width of an MLP, as a multiple of D.

    Source:
        SMARTIES, decoder of ``SMARTIES``. https://github.com/gsumbul/SMARTIES

    Deviations:
        One product for each sensor in place of a loop over bands; interpolated bands have heads.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        image_size: int,
        patch_size: int,
        channels: int,
        depth: int,
        num_heads: int,
        learned: int,
        mixing: Sequence[Sequence[float]] = (),
        mlp_ratio: float = 4.0,
    ) -> None:
        super().__init__()
        self.mixing = [[float(weight) for weight in row] for row in mixing]
        side = image_size // patch_size
        table = sincos_positions(channels, side, side)
        self.embed = nn.Linear(in_channels, channels)
        self.hidden_token = nn.Parameter(torch.empty(1, 1, channels))
        self.positions = nn.Parameter(table, requires_grad=False)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                channels,
                num_heads=num_heads,
                mlp_channels=int(mlp_ratio * channels),
                epsilon=EPSILON,
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(channels, eps=EPSILON)
        self.heads = nn.ModuleList(nn.Linear(channels, patch_size**2) for _ in range(learned))
        nn.init.normal_(self.hidden_token, std=0.02)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight)
                nn.init.zeros_(part.bias)

    def forward(
        self, tokens: Tensor, given: Tensor, wanted: Tensor, grid: tuple[int, int]
    ) -> Tensor:
        """Return the tokens of the wanted patches; the last block computes no others.

        Args:
            tokens: Class token, then the tokens that the encoder has received.
            given: Number of the patch of each, in row-major order.
            wanted: Numbers of the patches to return.
            grid: Rows and columns of patches.

        Shape:
            - tokens: (B, 1 + M, in_channels); given: (B, M); wanted: (B, K); returns: (B, K, D).
        """
        positions = resized_positions(self.positions, *grid)
        embedded = self.embed(tokens)
        hidden = self.hidden_token.to(embedded.dtype).expand(len(tokens), grid[0] * grid[1], -1)
        index = given.unsqueeze(-1).expand(-1, -1, embedded.shape[-1])
        patches = hidden.scatter(1, index, embedded[:, 1:])
        tokens = torch.cat([embedded[:, :1], patches], dim=1) + positions
        *first, last = self.blocks
        for block in first:
            tokens = block(tokens)
        return self.norm(last(tokens, wanted + 1))

    def resized_weights(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return weights of a decoder of another ``image_size`` with interpolated positions."""
        return with_resized_positions(weights, self.positions)

    def band_values(self, tokens: Tensor, bands: Sequence[int]) -> Tensor:
        """Predict the values of some bands from the tokens of patches.

        Shape:
            - tokens: (M, D); returns: (M, bands * p * p).
        """
        heads = cast("list[nn.Linear]", list(self.heads))
        weight, bias = band_weights(heads, self.mixing, bands)
        return F.linear(tokens, weight.flatten(0, 1), bias.flatten())
