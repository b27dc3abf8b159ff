"""Embedding of the patches of any bands, each band by a projection of its own."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError


class BandProjection(nn.Module):
    """Learned projection of the patch of one band, under the names of the published weights.

    Args:
        patch_values: Values of a patch, p * p.
        dim: Width D of a token.
    """

    def __init__(self, patch_values: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Linear(patch_values, dim)
        nn.init.xavier_uniform_(self.proj.weight)
        nn.init.zeros_(self.proj.bias)


class SpectrumProjection(nn.Module):
    """Map the patches of all bands of an image to one token per position.

    Bands with the index -1 are absent and do not count: images of sensors with different numbers
    of bands are put together in one batch.

    A token is ``scale`` times the mean over its bands of their projections. Projections that no
    band of a batch selects have no gradient, so an optimiser leaves them as they are.

    Args:
        patch_values: Values of the patch of one band, p * p.
        dim: Width D of a token.
        learned: Number of bands with learned weights.
        mixing: Weights of the learned projections in each interpolated one, (interpolated,
            learned); see ``Spectrum.mixing``.
        scale: Factor of the mean, the number of bands of the sensor with most of them.

    Shape:
        - patches: (B, N, C, p * p); bands: (B, C), indices of learned bands, then of interpolated
          ones, or -1; returns: (B, N, D).

    Raises:
        ConfigError: If a row of ``mixing`` has another length than ``learned``.
        ShapeError: If patches and bands differ in shape, an index has no projection, or an image
            has no band.

    Source:
        SMARTIES, ``SpectrumAwareProjection`` and ``SMARTIES.project_patches``.
        https://github.com/gsumbul/SMARTIES

    Deviations:
        One product with stacked weights in place of a loop over the bands of a batch.
    """

    def __init__(
        self,
        patch_values: int,
        dim: int,
        *,
        learned: int,
        mixing: Sequence[Sequence[float]] = (),
        scale: float = 12.0,
    ) -> None:
        super().__init__()
        if any(len(row) != learned for row in mixing):
            raise ConfigError(f"mixing has {len(mixing)} rows, each needs {learned} weights")
        self.patch_values = patch_values
        self.mixing = [[float(weight) for weight in row] for row in mixing]
        self.scale = scale
        self.spectrum_embeds = nn.ModuleList(
            BandProjection(patch_values, dim) for _ in range(learned)
        )

    def forward(self, patches: Tensor, bands: Tensor) -> Tensor:
        batch, _, channels, values = patches.shape
        if values != self.patch_values or bands.shape != (batch, channels):
            raise ShapeError(
                f"patches (B, N, C, {self.patch_values}) and bands (B, C) are needed, got "
                f"{tuple(patches.shape)} and {tuple(bands.shape)}"
            )
        if bool((bands < 0).all(dim=1).any()):
            raise ShapeError("an image has no band: all its indices are -1")
        if bool((bands == bands[:1]).all()):  # one sensor: one product with C * p * p columns
            there = bands[0] >= 0
            if not bool(there.all()):
                patches, bands = patches[:, :, there], bands[:, there]
            weight, bias = self._stacked(bands[0].tolist())
            flat = weight.transpose(0, 1).flatten(1)
            factor = self.scale / len(weight)
            # the product, not the sum alone: the gradients of a sum are one tensor, which all
            # biases would share, and each of them would be accumulated or clipped in it
            return F.linear(patches.flatten(2), factor * flat, (factor * bias).sum(0))
        found, position = bands.unique(return_inverse=True)
        weight, bias = self._stacked(found.tolist())
        factors = self.scale / (bands >= 0).sum(1)
        tokens = torch.einsum("bncp,bcdp->bnd", patches, weight[position])
        return factors.view(-1, 1, 1) * (tokens + bias[position].sum(1, keepdim=True))

    def _stacked(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return weights (C, D, p * p) and biases (C, D) of some bands."""
        learned = [cast("BandProjection", embed).proj for embed in self.spectrum_embeds]
        return band_weights(learned, self.mixing, indices)


def band_weights(
    learned: Sequence[nn.Linear], mixing: Sequence[Sequence[float]], indices: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Stack the linear maps of some bands, each its own or a mean of those of learned bands.

    Args:
        learned: Maps of the learned bands.
        mixing: Weights of the learned maps in each interpolated one.
        indices: Indices of learned bands, then of interpolated ones; -1 for zeros.

    Shape:
        - returns: weights (C, out, in), biases (C, out).

    Raises:
        ShapeError: If an index has no map.
    """
    pairs = [_band(learned, mixing, index) for index in indices]
    return torch.stack([pair[0] for pair in pairs]), torch.stack([pair[1] for pair in pairs])


def _band(
    learned: Sequence[nn.Linear], mixing: Sequence[Sequence[float]], index: int
) -> tuple[Tensor, Tensor]:
    if index == -1:
        return torch.zeros_like(learned[0].weight), torch.zeros_like(learned[0].bias)
    if not 0 <= index < len(learned) + len(mixing):
        last = len(learned) + len(mixing) - 1
        raise ShapeError(f"band {index}: the net has the projections 0 to {last}")
    if index < len(learned):
        return learned[index].weight, learned[index].bias
    row = zip(mixing[index - len(learned)], learned, strict=True)
    used = [(share, part) for share, part in row if share]
    weight = torch.stack([share * part.weight for share, part in used]).sum(0)
    return weight, torch.stack([share * part.bias for share, part in used]).sum(0)
