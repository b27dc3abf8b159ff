"""Masked autoencoder of SMARTIES: reconstruct images of any sensors."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import MixingAutoencoder
from openstl_ext.layers.patches import check_divisible
from openstl_ext.layers.position_table import resized_positions
from openstl_ext.layers.spectral_decoder import SpectralDecoder
from openstl_ext.models.spectral_vit import SpectralViT, bands_of
from openstl_ext.registry import MODELS
from openstl_ext.stream_patches import by_sensor, own_images, places
from openstl_ext.value_types import Count


@MODELS.register_module()
class SpectralAutoencoder(nn.Module):
    """Encode the patches that are not hidden, and reconstruct all patches in all their bands.

    Several images of a place, each of a sensor of its own, are streams of one batch. They may
    exchange tokens after the projection of bands, and all have one mask.

    Args:
        encoder: Arguments of ``SpectralViT``; ``pooling`` is ``class`` or ``normed_mean``.
        decoder_channels: Width of a token of the decoder.
        decoder_depth: Blocks of the decoder.
        decoder_num_heads: Heads of the attention in the decoder.

    Shape:
        - frames: (B, T, C, H, W); bands: (B, T, C); mask: (B, N), True = hidden, as many in each
          sample; source: (B, T, N) or None.
        - returns: (B, N, T * C * p * p); 0 where a band is absent.

    Raises:
        ConfigError: If the encoder pools with a norm that the pre-training would not train.
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
        if self.encoder.pooling == "mean":
            raise ConfigError(
                "pooling='mean' has a norm that a masked autoencoder does not train; set the "
                "encoder's pooling to 'class' or 'normed_mean'"
            )
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
        if source is None:
            source = own_images(frames, mask.shape[1])
        every = places(torch.ones_like(mask))
        tokens = self.decode(frames, bands, mask, source, every).flatten(0, 2)
        values = tokens.new_zeros(source.numel(), frames.shape[2], self.patch_size**2)
        for part in by_sensor(bands_of(frames, bands), source, every):
            found = self.band_values(tokens[part.position], part.bands).to(values.dtype)
            channels = torch.tensor(part.channels, device=values.device)
            values[part.position[:, None], channels] = found.unflatten(1, (len(channels), -1))
        return values.unflatten(0, source.shape).transpose(1, 2).flatten(2)

    def decode(
        self,
        frames: Tensor,
        bands: Tensor | None,
        mask: Tensor,
        source: Tensor,
        wanted: Tensor,
    ) -> Tensor:
        """Return the tokens of some patches of each stream, before the heads of the bands.

        Shape:
            - wanted: (B, K), numbers of patches; returns: (B, T, K, D) of the decoder.
        """
        check_divisible(frames, self.patch_size)
        inner = self.encoder.encoder
        rows, columns = (size // self.patch_size for size in frames.shape[-2:])
        shown = places(~mask)
        positions = resized_positions(inner.positions, rows, columns)
        tokens = self._embedded(frames, bands_of(frames, bands), source, shown)
        tokens = (tokens + positions[0, 1:][shown][:, None]).flatten(0, 1)
        encoded = inner.norm(inner.encode(tokens, positions[:, :1]))
        given, wanted = (p.repeat_interleave(source.shape[1], dim=0) for p in (shown, wanted))
        tokens = self.decoder(encoded, given, wanted, (rows, columns))
        return tokens.unflatten(0, source.shape[:2])

    def _embedded(self, frames: Tensor, bands: Tensor, source: Tensor, shown: Tensor) -> Tensor:
        """Embed the shown patches, a product for each sensor; returns (B, T, K, D)."""
        projection = self.encoder.encoder.projection
        shape = (len(shown), source.shape[1], shown.shape[1], self.encoder.out_channels)
        tokens = frames.new_zeros(shape).flatten(0, 2)
        for part in by_sensor(bands, source, shown):
            patches = part.values(frames, self.patch_size)
            patches = patches.view(1, len(patches), len(part.bands), -1)
            found = projection(patches, torch.tensor([part.bands], device=frames.device))[0]
            tokens = tokens.index_copy(0, part.order, found.to(tokens.dtype))
        return tokens.view(shape)

    def band_values(self, tokens: Tensor, bands: Sequence[int]) -> Tensor:
        """Predict the values (M, bands * p * p) of some bands from the tokens (M, D) of patches."""
        return self.decoder.band_values(tokens, bands)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance, for the tests."""
        return {
            "encoder": SpectralViT.toy_arguments(),
            **{"decoder_channels": 16, "decoder_depth": 1, "decoder_num_heads": 2},
        }
