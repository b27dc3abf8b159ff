"""Learnt features of a place on Earth."""

import torch
from torch import Tensor, nn

from openstl_ext.layers.siren import Siren
from openstl_ext.layers.spherical_harmonics import spherical_harmonics


class LocationEncoding(nn.Module):
    """Say what is special about where a pixel lies, without a seam at the date line or the poles.

    It runs in float32 under autocast too: in bf16 all pixels of a chip lie at one place. A pixel
    whose place is not finite, as in the corners of a world map, has zeros for features.

    Args:
        out_channels: Number of features.
        degrees: Number L of degrees of the harmonics; 10 tell apart what is 2,000 km away.
        hidden_channels: Width of the net on top of them.

    Shape:
        - lonlat: (B, 2, H, W), degrees; returns: (B, C, H, W), float32.

    Source:
        Russwurm et al. (arXiv:2310.06743); GMoncrieff/spatio-temporal@d765a15,
        src/locationencoder.
    """

    def __init__(self, out_channels: int, *, degrees: int = 10, hidden_channels: int = 64) -> None:
        super().__init__()
        self.degrees = degrees
        self.net = Siren(degrees**2, hidden_channels, out_channels)

    def forward(self, lonlat: Tensor) -> Tensor:
        known = lonlat.isfinite().all(dim=1, keepdim=True)
        places = torch.where(known, lonlat, 0)  # before, or the gradient of a NaN is a NaN
        with torch.autocast(lonlat.device.type, enabled=False):
            features = self.net(spherical_harmonics(places, self.degrees).flatten(2))
        return torch.where(known, features.unflatten(2, lonlat.shape[2:]), 0)
