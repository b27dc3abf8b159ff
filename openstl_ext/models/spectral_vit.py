"""Vision transformer of SMARTIES: features of images of any sensors."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import TokenEncoder
from openstl_ext.layers.spectral_encoder import SpectralEncoder
from openstl_ext.registry import MODELS
from openstl_ext.spectrum import Band, Interpolation, Spectrum
from openstl_ext.value_types import Count, Share

TOY_SPECTRUM = {
    name: {"min_nm": low, "max_nm": low + 100.0, "index": i}
    for i, (name, low) in enumerate({"a": 400.0, "b": 500.0, "c": 600.0, "d": 700.0}.items())
}
"""Spectrum of four learned bands, of which a toy batch has all."""


@MODELS.register_module()
class SpectralViT(nn.Module):
    """Encode one or several images of a place, each of a sensor of its own.

    The number of bands, their combination and the size of the image are free at each call; bands
    with the index -1 are absent.

    Args:
        image_size: Height and width of the images of the pre-training, in pixels; other sizes get
            interpolated positions.
        patch_size: Side of a patch, in pixels.
        channels: Width D of a token.
        depth: Number of transformer blocks.
        num_heads: Heads of the attention.
        mlp_ratio: Hidden width of an MLP, as a multiple of D.
        drop_path_prob: Stochastic depth of the last block; it grows from 0 at the first.
        pooling: ``class``: the class token after the norm; ``mean``: the mean of all patch tokens,
            after a norm of its own; ``normed_mean``: the mean of all patch tokens after the norm,
            for frozen weights of a pre-training, which has no norm of a mean.
        trains_positions: Whether positions are trained; fixed sines and cosines otherwise.
        spectrum: File of a spectrum, or its bands by name; the published one by default.
        sensors: Files of sensors with ranges of their own, for which projections are interpolated.
        interpolation: ``linear``: the nearer band has the larger weight; ``inverted``: the farther
            one, as in the released weights.

    Shape:
        - frames: (B, T, C, H, W), T images; bands: (B, T, C), indices of the spectrum.
        - returns: (B, T * D), the features of all images one after another.

    Raises:
        ShapeError: If bands are missing or have no projection, or the patch does not divide the
            image.
        ConfigError: If the heads do not divide D.

    Source:
        Sumbul et al., SMARTIES (arXiv:2506.19585), ``SmartiesVisionTransformer``.
        https://github.com/gsumbul/SMARTIES

    Deviations:
        Weights of interpolated bands are linear by default, and ``drop_path_prob`` acts.
    """

    interface = TokenEncoder

    def __init__(
        self,
        *,
        image_size: Count = 224,
        patch_size: Count = 16,
        channels: Count = 768,
        depth: Count = 12,
        num_heads: Count = 12,
        mlp_ratio: float = 4.0,
        drop_path_prob: Share = 0.0,
        pooling: Literal["class", "mean", "normed_mean"] = "class",
        trains_positions: bool = False,
        spectrum: str | dict[str, Band] | None = None,
        sensors: Sequence[str] = (),
        interpolation: Interpolation = "linear",
    ) -> None:
        super().__init__()
        self.spectrum = Spectrum.of(spectrum, sensors)
        self.pooling = pooling
        self.out_channels = channels
        self.image_size, self.patch_size = image_size, patch_size
        self.encoder = SpectralEncoder(
            image_size=image_size,
            patch_size=patch_size,
            channels=channels,
            depth=depth,
            num_heads=num_heads,
            learned=len(self.spectrum.learned),
            mixing=self.spectrum.mixing(interpolation).tolist(),
            mlp_ratio=mlp_ratio,
            drop_path_prob=drop_path_prob,
            trains_positions=trains_positions,
        )
        if pooling == "mean":
            self.mean_norm = self.encoder.norm
            del self.encoder.norm

    def forward(self, frames: Tensor, bands: Tensor | None = None) -> Tensor:
        tokens = [self.tokens(frames[:, t], bands_of(frames, bands)[:, t]) for t in each(frames)]
        return torch.cat([self.pooled(image) for image in tokens], dim=1)

    def tokens(self, image: Tensor, bands: Tensor) -> Tensor:
        """Return the class token and all patch tokens of one image, before the norm.

        Shape:
            - image: (B, C, H, W); bands: (B, C); returns: (B, 1 + N, D).
        """
        return self.encoder(image, bands)

    def pooled(self, tokens: Tensor) -> Tensor:
        """Return the feature of an image (B, D) from its tokens (B, 1 + N, D)."""
        if self.pooling == "mean":
            return self.mean_norm(tokens[:, 1:].mean(dim=1))
        if self.pooling == "normed_mean":
            return self.encoder.norm(tokens[:, 1:]).mean(dim=1)
        return self.encoder.norm(tokens[:, 0])

    def patch_features(self, image: Tensor, bands: Tensor) -> Tensor:
        """Return the tokens of the patches of one image after the norm.

        Shape:
            - image: (B, C, H, W); bands: (B, C); returns: (B, D, H / p, W / p).
        """
        norm = self.mean_norm if self.pooling == "mean" else self.encoder.norm
        tokens = norm(self.tokens(image, bands)[:, 1:])
        return tokens.unflatten(1, (image.shape[-2] // self.patch_size, -1)).permute(0, 3, 1, 2)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance, for the tests."""
        return {
            **{"image_size": 16, "patch_size": 4, "channels": 16, "depth": 1, "num_heads": 2},
            "spectrum": TOY_SPECTRUM,
        }


def each(frames: Tensor) -> range:
    """Return the indices of the images of a batch (B, T, C, H, W)."""
    return range(frames.shape[1])


def bands_of(frames: Tensor, bands: Tensor | None) -> Tensor:
    """Return the bands after a check of their shape.

    Raises:
        ShapeError: If there are none, or not one for each channel.
    """
    if bands is None:
        raise ShapeError(
            "the inputs have no bands; use a dataset that returns the index of each channel in "
            "the spectrum, or pass bands"
        )
    if bands.shape != frames.shape[:3]:
        raise ShapeError(
            f"bands have the shape {tuple(bands.shape)}, but frames {tuple(frames.shape)} need "
            f"{tuple(frames.shape[:3])}, one for each channel"
        )
    return bands
