"""Vision transformer over the patches of an image with any bands."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from openstl_ext.layers.patches import band_patches
from openstl_ext.layers.position_table import (
    resized_positions,
    sincos_positions,
    with_resized_positions,
)
from openstl_ext.layers.spectrum_projection import SpectrumProjection
from openstl_ext.layers.transformer_block import TransformerBlock

EPSILON = 1e-6
"""Added to the variances of all norms."""


class SpectralEncoder(nn.Module):
    """Class token and patch tokens of an image, after transformer blocks.

    Args:
        image_size: Height and width of the images of the pre-training, in pixels; other sizes get
            interpolated positions.
        patch_size: Side p of a patch, in pixels.
        channels: Width D of a token.
        depth: Number of blocks.
        num_heads: Heads of the attention.
        learned: Number of bands with learned projections.
        mixing: Weights of the learned projections in each interpolated one.
        mlp_ratio: Hidden width of an MLP, as a multiple of D.
        drop_path_prob: Stochastic depth of the last block; it grows from 0 at the first.
        trains_positions: Whether positions are trained, as in SMARTIES' fine-tuning; fixed sines
            and cosines otherwise.

    Shape:
        - frames: (B, C, H, W); bands: (B, C), indices of projections.
        - returns: (B, 1 + N, D), without the final ``norm``, which dense heads do not use.

    Raises:
        ShapeError: If height or width is not a multiple of the patch, or an index has no
            projection.
        ConfigError: If the heads do not divide D, or D is not a multiple of 4.

    Source:
        SMARTIES, ``SmartiesVisionTransformer`` and the encoder of ``SMARTIES``: ViT blocks with
        pre-norm. https://github.com/gsumbul/SMARTIES

    Deviations:
        ``drop_path_prob`` acts; the published constructor ignores it.
    """

    def __init__(
        self,
        *,
        image_size: int = 224,
        patch_size: int = 16,
        channels: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        learned: int = 17,
        mixing: Sequence[Sequence[float]] = (),
        mlp_ratio: float = 4.0,
        drop_path_prob: float = 0.0,
        trains_positions: bool = False,
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.projection = SpectrumProjection(
            patch_size**2, channels, learned=learned, mixing=mixing
        )
        self.class_token = nn.Parameter(torch.empty(1, 1, channels))
        side = image_size // patch_size
        table = sincos_positions(channels, side, side)
        self.positions = nn.Parameter(table, requires_grad=trains_positions)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                channels,
                num_heads=num_heads,
                mlp_channels=int(mlp_ratio * channels),
                drop_path_prob=drop_path_prob * i / max(depth - 1, 1),
                epsilon=EPSILON,
            )
            for i in range(depth)
        )
        self.norm = nn.LayerNorm(channels, eps=EPSILON)
        nn.init.normal_(self.class_token, std=0.02)
        for part in self.blocks.modules():
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight)
                nn.init.zeros_(part.bias)

    def forward(self, frames: Tensor, bands: Tensor) -> Tensor:
        return self.taps(frames, bands, (len(self.blocks),))[0]

    def taps(self, frames: Tensor, bands: Tensor, numbers: Sequence[int]) -> list[Tensor]:
        """Return the tokens after some blocks, counted from 1, each (B, 1 + N, D)."""
        rows, columns = (size // self.patch_size for size in frames.shape[-2:])
        positions = resized_positions(self.positions, rows, columns)
        tokens = self._with_class(self.embed(frames, bands) + positions[:, 1:], positions[:, :1])
        found = {}
        for number, block in enumerate(self.blocks, start=1):
            tokens = block(tokens)
            if number in numbers:
                found[number] = tokens
        return [found[number] for number in numbers]

    def resized_weights(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return weights of an encoder of another ``image_size`` with interpolated positions."""
        return with_resized_positions(weights, self.positions)

    def embed(self, frames: Tensor, bands: Tensor) -> Tensor:
        """Return the tokens of the patches (B, N, D), without positions."""
        return self.projection(band_patches(frames, self.patch_size), bands)

    def encode(self, tokens: Tensor, class_position: Tensor) -> Tensor:
        """Put the class token before tokens with positions, and run the blocks.

        Args:
            tokens: Tokens of all patches, or of those that are not masked.
            class_position: Position of the class token.

        Shape:
            - tokens: (B, N, D); class_position: (1, 1, D); returns: (B, 1 + N, D).
        """
        tokens = self._with_class(tokens, class_position)
        for block in self.blocks:
            tokens = block(tokens)
        return tokens

    def _with_class(self, tokens: Tensor, class_position: Tensor) -> Tensor:
        first = (self.class_token + class_position).expand(len(tokens), -1, -1)
        return torch.cat([first, tokens], dim=1)
