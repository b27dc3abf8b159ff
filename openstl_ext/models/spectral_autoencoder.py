"""Masked autoencoder of SMARTIES: reconstruct images of any sensors."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import MixingAutoencoder
from openstl_ext.layers.position_table import resized_positions
from openstl_ext.layers.spectral_decoder import SpectralDecoder
from openstl_ext.models.spectral_vit import SpectralViT, bands_of, each
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count


@MODELS.register_module()
class SpectralAutoencoder(nn.Module):
    """Encode the patches that are not hidden, and reconstruct all patches in all their bands.

    Several images of a place, each of a sensor of its own, are streams of one batch. They may
    exchange tokens after the projection of bands, and all have one mask.

    Args:
        encoder: Arguments of ``SpectralViT``, with pooling of the class token.
        decoder_channels: Width of a token of the decoder.
        decoder_depth: Blocks of the decoder.
        decoder_num_heads: Heads of the attention in the decoder.

    Shape:
        - frames: (B, T, C, H, W); bands: (B, T, C); mask: (B, N), True = hidden, as many in each
          sample; source: (B, T, N) or None.
        - returns: (B, N, T * C * p * p); 0 where a band is absent.

    Raises:
        ShapeError: If samples have different numbers of hidden patches, or inputs do not fit.

    Source:
        Sumbul et al., SMARTIES (arXiv:2506.19585), ``SMARTIES``.
        https://github.com/gsumbul/SMARTIES
    """

    interface = MixingAutoencoder
    encoder_type = "SpectralViT"

    def __init__(
        self,
        *,
        encoder: dict[str, Any],
        decoder_channels: Count = 512,
        decoder_depth: Count = 8,
        decoder_num_heads: Count = 16,
    ) -> None:
        super().__init__()
        self.encoder = SpectralViT(**encoder)
        inner = self.encoder.encoder
        self.patch_size = inner.patch_size
        self.decoder = SpectralDecoder(
            inner.class_token.shape[-1],
            image_size=encoder.get("image_size", 224),
            patch_size=self.patch_size,
            channels=decoder_channels,
            depth=decoder_depth,
            num_heads=decoder_num_heads,
            learned=len(inner.projection.spectrum_embeds),
            mixing=inner.projection.mixing,
            mlp_ratio=encoder.get("mlp_ratio", 4.0),
        )

    def forward(
        self, frames: Tensor, bands: Tensor | None, mask: Tensor, source: Tensor | None = None
    ) -> Tensor:
        bands = bands_of(frames, bands)
        inner = self.encoder.encoder
        rows, columns = (size // self.patch_size for size in frames.shape[-2:])
        shown = places_shown(mask)
        # each image apart: all samples of a batch usually have the same sensors, one product each
        tokens = torch.stack([inner.embed(frames[:, t], bands[:, t]) for t in each(frames)], dim=1)
        if source is None:
            source = torch.arange(tokens.shape[1], device=tokens.device).view(1, -1, 1)
            source = source.expand(tokens.shape[:3])
        else:
            tokens = tokens.gather(1, source.unsqueeze(-1).expand_as(tokens))
        positions = resized_positions(inner.positions, rows, columns)
        tokens = (tokens + positions[:, None, 1:]).flatten(0, 1)
        places = shown.repeat_interleave(frames.shape[1], dim=0)
        tokens = tokens.gather(1, places.unsqueeze(-1).expand(-1, -1, tokens.shape[-1]))
        encoded = inner.norm(inner.encode(tokens, positions[:, :1]))
        decoded = self.decoder(encoded, places, (rows, columns)).unflatten(0, frames.shape[:2])
        return self.decoder.patches(decoded, bands, source).transpose(1, 2).flatten(2)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance, for the tests."""
        return {
            "encoder": SpectralViT.toy_arguments(),
            **{"decoder_channels": 16, "decoder_depth": 1, "decoder_num_heads": 2},
        }


def places_shown(mask: Tensor) -> Tensor:
    """Return the numbers of the patches that are not hidden, in ascending order.

    Shape:
        - mask: (B, N), True = hidden; returns: (B, M).

    Raises:
        ShapeError: If samples have different numbers of hidden patches.
    """
    counts = (~mask).sum(dim=1)
    if bool((counts != counts[0]).any()):
        raise ShapeError("mask: all samples of a batch need the same number of hidden patches")
    return mask.int().argsort(dim=1, stable=True)[:, : int(counts[0])]
