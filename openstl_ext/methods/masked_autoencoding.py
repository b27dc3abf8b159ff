"""Masked autoencoding: train a net to reconstruct hidden patches of images."""

from typing import Any, Literal

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import TOY_SHAPE, MaskedAutoencoder, MixingAutoencoder, provides
from openstl_ext.methods.base import PretrainingMethod, moving_waves, toy_bands
from openstl_ext.registry import METHODS, MODELS
from openstl_ext.stream_patches import by_sensor, own_images, places
from openstl_ext.structures import Inputs, Targets
from openstl_ext.value_types import Share

EPSILON = 1e-6
"""Added to the variance of a patch."""

Mixing = Literal["symmetric", "one_sided", "none"]


@METHODS.register_module()
class MaskedAutoencoding(PretrainingMethod):
    """Hide most patches of the images of a place, and reconstruct them from the others.

    The images are of different sensors. At random patches, each stream takes the token of the next
    image, so that the encoder must relate sensors to each other; all streams have one mask.

    Args:
        net: Config of a MaskedAutoencoder, or the net.
        mask_ratio: Share of hidden patches.
        mixing: ``symmetric``: the streams exchange tokens. ``one_sided``: only the first stream
            takes tokens of the second, as in the code and probably in the released weights of
            SMARTIES. ``none``: no exchange. A single image is never mixed.
        mixing_ratio: Share of patches that are exchanged.
        normalises_patches: Whether the target of a patch is standardised over all its bands and
            pixels together.
        data_preprocessor: Config of the normalisation.

    Raises:
        ConfigError: If no patch would be hidden or shown, if a net that cannot mix is to mix, or
            if ``one_sided`` is used with more than two images.

    Source:
        Sumbul et al., SMARTIES (arXiv:2506.19585), ``SMARTIES.forward``.
        https://github.com/gsumbul/SMARTIES

    Deviations:
        Mixing is symmetric by default; ``mask_ratio`` acts. The bands of a sensor are not repeated
        up to twelve; the mean over them is the same.
    """

    interface = MaskedAutoencoder

    def __init__(
        self,
        *,
        net: dict[str, Any],
        mask_ratio: Share = 0.75,
        mixing: Mixing = "symmetric",
        mixing_ratio: Share = 0.5,
        normalises_patches: bool = True,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        if not 0 < mask_ratio < 1:
            raise ConfigError(f"mask_ratio is {mask_ratio}; it must be between 0 and 1")
        self.net = MODELS.build(net)
        if mixing != "none" and not provides(self.net, MixingAutoencoder):
            raise ConfigError(
                f'{type(self.net).__name__} cannot exchange tokens; set mixing="none", or use a '
                "net with interface MixingAutoencoder"
            )
        self.mask_ratio, self.mixing, self.mixing_ratio = mask_ratio, mixing, mixing_ratio
        self.normalises_patches = normalises_patches

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:  # noqa: ARG002
        frames, side = inputs["frames"], self.net.patch_size
        length = (frames.shape[-2] // side) * (frames.shape[-1] // side)
        # two draws in this order, one for all streams, as in the published code
        mixing_noise = torch.rand(len(frames), length, device=frames.device)
        mask_noise = torch.rand(len(frames), length, device=frames.device)
        source = self.source(mixing_noise, frames.shape[1])
        return self.terms(inputs, self.mask(mask_noise), source)

    def source(self, noise: Tensor, streams: int) -> Tensor | None:
        """Choose the image whose token each stream takes at each patch.

        Shape:
            - noise: (B, N), uniform in [0, 1); returns: (B, T, N), or None without mixing.
        """
        if self.mixing == "none" or streams == 1:
            return None
        if self.mixing == "one_sided" and streams > 2:
            raise ConfigError(f'mixing="one_sided" is for two images, the data have {streams}')
        length = noise.shape[1]
        rank = noise.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
        exchanged = rank >= int(length * (1 - self.mixing_ratio))
        own = torch.arange(streams, device=noise.device).view(1, -1, 1)
        mixed = torch.where(exchanged[:, None], (own + 1) % streams, own)
        if self.mixing == "one_sided":
            mixed[:, 1] = 1
        return mixed

    def mask(self, noise: Tensor) -> Tensor:
        """Hide the patches of the largest noise; True = hidden.

        Shape:
            - noise: (B, N); returns: (B, N).

        Raises:
            ShapeError: If all patches or none would be hidden.
        """
        length = noise.shape[1]
        shown = int(length * (1 - self.mask_ratio))
        if not 0 < shown < length:
            raise ShapeError(
                f"mask_ratio={self.mask_ratio} shows {shown} of {length} patches; use larger "
                "images, smaller patches or another ratio"
            )
        return noise.argsort(dim=1, stable=True).argsort(dim=1, stable=True) >= shown

    def terms(self, inputs: Inputs, mask: Tensor, source: Tensor | None) -> dict[str, Tensor]:
        """Compute the mean squared error of the hidden patches, averaged over the streams.

        Shape:
            - mask: (B, N); source: (B, T, N) or None.
        """
        frames, bands = inputs["frames"], inputs.get("bands")
        if source is None:
            source = own_images(frames, mask.shape[1])
        hidden = places(mask)
        if mixes := provides(self.net, MixingAutoencoder):
            tokens = self.net.decode(frames, bands, mask, source, hidden)
        else:
            flat = self.net(frames, bands, mask)
            tokens = rearrange(flat, "b n (t v) -> b t n v", t=frames.shape[1])
        if bands is None:  # all channels are of one sensor
            bands = torch.zeros_like(frames[..., 0, 0], dtype=torch.long)
        tokens, total = tokens.flatten(0, 2), frames.new_zeros((), dtype=torch.float32)
        for part in by_sensor(bands, source, hidden):
            found = tokens.index_select(0, part.order if mixes else part.position)
            if mixes:
                found = self.net.band_values(found, part.bands)
            else:
                found = found.unflatten(1, (frames.shape[2], -1))[:, part.channels].flatten(1)
            target = part.values(frames, self.net.patch_size).float()
            if self.normalises_patches:
                target = standardised(target)
            error = F.mse_loss(found.float(), target, reduction="sum")
            total = total + error / target.shape[1]
        return {"loss_hidden": total / (frames.shape[1] * (mask.sum() + EPSILON))}

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        mixing = "symmetric" if provides(net, MixingAutoencoder) else "none"
        return {"net": net, "mask_ratio": 0.5, "mixing": mixing}

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return smooth waves, each frame as an image of another band."""
        inputs = {"frames": moving_waves(size, TOY_SHAPE[0]), "bands": toy_bands(size)}
        return {"inputs": inputs, "data_samples": {}}


def standardised(values: Tensor) -> Tensor:
    """Standardise the values of each patch over all its bands and pixels, with unbiased variance.

    Shape:
        - values: (..., V); returns: the same.
    """
    width = values.shape[-1]
    biased = (width - 1) / width
    return F.layer_norm(values, (width,), eps=EPSILON * biased) * biased**0.5
