"""Mixup and CutMix: mix each image of a batch with another one."""

import torch
from torch import Tensor
from torch.distributions import Beta

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.structures import Inputs
from openstl_ext.value_types import NonNegative, Share


class SampleMixing:
    """Mix each sample with its mirror in the batch: the first with the last, and so on.

    Args:
        mixup_alpha: Parameter of the Beta distribution of the share of mixup; 0 for no mixup.
        cutmix_alpha: The same for CutMix, which replaces a rectangle; 0 for no CutMix.
        prob: Probability that a batch is mixed.
        switch_prob: Probability of CutMix, where both are used.

    Raises:
        ConfigError: If neither is used.

    Source:
        Zhang et al., mixup (arXiv:1710.09412); Yun et al., CutMix (arXiv:1905.04899).
    """

    def __init__(
        self,
        *,
        mixup_alpha: NonNegative = 0.8,
        cutmix_alpha: NonNegative = 1.0,
        prob: Share = 1.0,
        switch_prob: Share = 0.5,
    ) -> None:
        if not mixup_alpha and not cutmix_alpha:
            raise ConfigError("sample_mixing: mixup_alpha and cutmix_alpha are 0; remove it")
        self.mixup_alpha, self.cutmix_alpha = mixup_alpha, cutmix_alpha
        self.prob, self.switch_prob = prob, switch_prob

    def __call__(self, inputs: Inputs) -> tuple[Inputs, float]:
        """Return mixed inputs and the share of the own label.

        Raises:
            ShapeError: If the samples have different bands, which have no mean.
        """
        frames, bands = inputs["frames"], inputs.get("bands")
        if bands is not None and not torch.equal(bands, bands.flip(0)):
            raise ShapeError("mixed samples need the same bands; use sample_mixing for one sensor")
        if float(torch.rand(())) >= self.prob:
            return inputs, 1.0
        uses_cutmix = self.cutmix_alpha > 0 and (
            not self.mixup_alpha or float(torch.rand(())) < self.switch_prob
        )
        alpha = self.cutmix_alpha if uses_cutmix else self.mixup_alpha
        share = float(Beta(alpha, alpha).sample())
        if not uses_cutmix:
            return {**inputs, "frames": share * frames + (1 - share) * frames.flip(0)}, share
        frames, share = cut(frames, share)
        return {**inputs, "frames": frames}, share


def cut(frames: Tensor, share: float) -> tuple[Tensor, float]:
    """Replace a rectangle at a random place by that of the mirrored batch.

    Args:
        frames: Images of a batch.
        share: Share of the area that remains, before the rectangle is cut at the edge.

    Shape:
        - frames: (B, ..., H, W); returns: the same, and the share that remains.
    """
    height, width = frames.shape[-2:]
    sides = [int(size * (1 - share) ** 0.5) for size in (height, width)]
    centres = [int(torch.randint(size, ())) for size in (height, width)]
    top, left = (max(c - s // 2, 0) for c, s in zip(centres, sides, strict=True))
    bottom, right = (
        min(c + s // 2, size) for c, s, size in zip(centres, sides, (height, width), strict=True)
    )
    mixed = frames.clone()
    mixed[..., top:bottom, left:right] = frames.flip(0)[..., top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / (height * width)
