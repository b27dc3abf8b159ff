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

    def forward(self, tokens: Tensor, places: Tensor, grid: tuple[int, int]) -> Tensor:
        """Return a token for each patch, hidden ones included.

        Args:
            tokens: Class token, then the tokens that the encoder has received.
            places: Number of the patch of each, in row-major order.
            grid: Rows and columns of patches.

        Shape:
            - tokens: (B, 1 + M, in_channels); places: (B, M); returns: (B, N, D).
        """
        positions = resized_positions(self.positions, *grid)
        embedded = self.embed(tokens)
        hidden = self.hidden_token.to(embedded.dtype).expand(len(tokens), grid[0] * grid[1], -1)
        index = places.unsqueeze(-1).expand(-1, -1, embedded.shape[-1])
        patches = hidden.scatter(1, index, embedded[:, 1:])
        tokens = torch.cat([embedded[:, :1], patches], dim=1) + positions
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)[:, 1:]

    def resized_weights(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return weights of a decoder of another ``image_size`` with interpolated positions."""
        return with_resized_positions(weights, self.positions)

    def patches(self, tokens: Tensor, bands: Tensor, source: Tensor) -> Tensor:
        """Predict the values of all bands at each patch.

        Args:
            tokens: Tokens of all patches of each stream.
            bands: Bands of each image.
            source: Image to which the token of a stream belongs.

        Shape:
            - tokens: (B, T, N, D); bands: (B, T', C); source: (B, T, N), numbers below T'.
            - returns: (B, T, N, C, p * p), 0 for absent bands.
        """
        rows, row_of = bands.flatten(0, 1).unique(dim=0, return_inverse=True)
        flat = source.flatten(1)
        sensor = row_of.view(bands.shape[:2]).gather(1, flat).view(source.shape)
        values: Tensor | None = None
        for number, row in enumerate(rows.tolist()):
            there = [c for c, band in enumerate(row) if band >= 0]
            weight, bias = self._heads([row[c] for c in there])
            selected = sensor == number
            found = F.linear(tokens[selected], weight.flatten(0, 1), bias.flatten())
            if values is None:
                values = found.new_zeros(*tokens.shape[:3], len(row), weight.shape[1])
            full = found.new_zeros(len(found), *values.shape[3:])
            full[:, there] = found.unflatten(1, (len(there), -1))
            values = values.masked_scatter(selected[..., None, None], full)
        assert values is not None
        return values

    def _heads(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return weights (C, p * p, D) and biases (C, p * p) of some bands."""
        return band_weights(cast("list[nn.Linear]", list(self.heads)), self.mixing, indices)
