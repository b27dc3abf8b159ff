"""Baseline for encoders: the mean value of each band."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ShapeError
from openstl_ext.interfaces import TOY_SHAPE, EncoderModel
from openstl_ext.models.spectral_vit import bands_of, each
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count


@MODELS.register_module()
class BandMeans(nn.Module):
    """Encode an image by the mean of each of its bands; 0 for bands that it does not have.

    It has nothing to train. An encoder whose features give no better classes has only learned
    brightness and colour.

    Args:
        num_bands: Number of bands of the spectrum; the published one has 19.

    Shape:
        - frames: (B, T, C, H, W); bands: (B, T, C); returns: (B, T * num_bands).

    Raises:
        ShapeError: If a band has an index of ``num_bands`` or more.
    """

    interface = EncoderModel

    def __init__(self, *, num_bands: Count = 19) -> None:
        super().__init__()
        self.out_channels = num_bands

    def forward(self, frames: Tensor, bands: Tensor | None = None) -> Tensor:
        bands = bands_of(frames, bands)
        if int(bands.max()) >= self.out_channels:
            raise ShapeError(
                f"band {int(bands.max())}: BandMeans has num_bands={self.out_channels}; set "
                f"num_bands={int(bands.max()) + 1}, or more"
            )
        means = torch.where(bands >= 0, frames.mean(dim=(-2, -1)), 0.0)
        features = means.new_zeros(*bands.shape[:2], self.out_channels)
        features = features.scatter_add(2, bands.clamp(min=0), means)
        return torch.cat([features[:, t] for t in each(frames)], dim=1)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance, for the tests."""
        return {"num_bands": TOY_SHAPE[0]}
