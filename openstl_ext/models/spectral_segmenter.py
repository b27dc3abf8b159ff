"""Segmentation of images of any sensors by a head on the encoder of SMARTIES."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.interfaces import TOY_SHAPE, SpectralDenseModel
from openstl_ext.layers.upernet import PlainPyramid, UPerHead
from openstl_ext.models.spectral_vit import SpectralViT, bands_of, each
from openstl_ext.registry import MODELS
from openstl_ext.value_types import Count


@MODELS.register_module()
class SpectralSegmenter(nn.Module):
    """Predict the class of each pixel from the patch tokens of a SpectralViT.

    The images of a sample, such as the dates of a series or several sensors, are encoded apart,
    and their tokens are merged by a weighted mean with one learned weight for each image.

    Args:
        encoder: Arguments of ``SpectralViT``.
        num_classes: Number of logits of a pixel.
        head: ``linear``: one 1 x 1 convolution of the last tokens, before the norm. ``upernet``: a
            pyramid of the tokens after four blocks, the last of which is that of the encoder.
        taps: Blocks for UPerNet, counted from 1; by default after each third of the encoder, as 4,
            6, 8 and 12.
        frozen: Whether the encoder keeps its weights; it is then always in evaluation mode,
            without gradients.
        num_images: Number of images T of a sample.
        label_size: Height and width of the label map; None for those of the images.
        channels: Width of UPerNet.

    Shape:
        - frames: (B, T, C, H, W); bands: (B, T, C); returns: (B, K, label_size, label_size).

    Raises:
        ConfigError: If the taps are not four blocks of the encoder in ascending order.
        ShapeError: If a sample has another number of images.

    Source:
        SMARTIES, ``eval_datasets/DFC2020.py`` (linear); PANGAEA (arXiv:2412.04204) for UPerNet,
        whose taps for 12 blocks are 3, 5, 7 and 11 counted from 0.

    Deviations:
        A frozen encoder stays in evaluation mode.
    """

    interface = SpectralDenseModel
    flag_arguments = {"frames_in": "num_images"}
    encoder_type = "SpectralViT"
    head_parameters = ("image_weights",)

    def __init__(
        self,
        *,
        encoder: dict[str, Any],
        num_classes: Count,
        head: Literal["linear", "upernet"] = "linear",
        taps: Sequence[Count] | None = None,
        frozen: bool = False,
        num_images: Count = 1,
        label_size: Count | None = None,
        channels: Count = 512,
    ) -> None:
        super().__init__()
        self.encoder = SpectralViT(**encoder)
        blocks, width = len(self.encoder.encoder.blocks), self.encoder.out_channels
        self.taps = tuple(taps or [max(1, blocks * k // 6) for k in (2, 3, 4, 6)])
        if len(self.taps) != 4 or list(self.taps) != sorted(self.taps) or self.taps[-1] != blocks:
            raise ConfigError(
                f"taps={list(self.taps)} must be four blocks in ascending order, the last "
                f"one {blocks}"
            )
        self.num_classes = num_classes
        self.frozen, self.label_size, self.num_images = frozen, label_size, num_images
        self.pyramid = PlainPyramid(width) if head == "upernet" else None
        self.head: nn.Module = (
            UPerHead(width, num_classes, channels=channels)
            if head == "upernet"
            else nn.Conv2d(width, num_classes, kernel_size=1)
        )
        if head == "linear":  # which does not use it
            self.encoder.encoder.norm.requires_grad_(False)
        self.image_weights = (
            nn.Parameter(torch.full((num_images,), 1 / num_images)) if num_images > 1 else None
        )
        if frozen:
            self.encoder.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "SpectralSegmenter":
        """Set the mode; a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self

    def forward(self, frames: Tensor, bands: Tensor | None = None) -> Tensor:
        bands = bands_of(frames, bands)
        if frames.shape[1] != self.num_images:
            raise ShapeError(
                f"a sample has {frames.shape[1]} images, but num_images={self.num_images}; set it "
                "to the number of images of the dataset"
            )
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            images = [self._maps(frames[:, t], bands[:, t]) for t in each(frames)]
        maps = [self._merged(level) for level in zip(*images, strict=True)]
        logits = self.head(maps[-1] if self.pyramid is None else self.pyramid(maps))
        size = self.label_size or frames.shape[-2:]
        return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)

    def _maps(self, image: Tensor, bands: Tensor) -> list[Tensor]:
        """Return the tokens after each tap as maps (B, D, h, w); the last one only for ``linear``.

        The pyramid gets the last one after the norm.
        """
        inner = self.encoder.encoder
        rows = image.shape[-2] // inner.patch_size
        taps = self.taps if self.pyramid is not None else (len(inner.blocks),)
        tokens = inner.taps(image, bands, taps)
        if self.pyramid is not None:
            tokens[-1] = inner.norm(tokens[-1])
        return [x[:, 1:].unflatten(1, (rows, -1)).permute(0, 3, 1, 2) for x in tokens]

    def _merged(self, maps: Sequence[Tensor]) -> Tensor:
        if self.image_weights is None:
            return maps[0]
        return torch.einsum("tbdhw,t->bdhw", torch.stack(list(maps)), self.image_weights)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return constructor arguments of a small instance, for the tests."""
        encoder = {**SpectralViT.toy_arguments(), "patch_size": 2}
        return {"encoder": encoder, "num_classes": 2, "num_images": TOY_SHAPE[0]}
