"""The forecast that everything is as it usually was."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from openstl_ext.interfaces import TOY_SHAPE, FittedFrameModel
from openstl_ext.registry import MODELS
from openstl_ext.structures import Targets


@MODELS.register_module()
class TrainingMean(nn.Module):
    """Say the mean frame of the training targets, whatever was seen: the climatology baseline.

    Shape:
        - frames: (B, T, C, H, W); returns: (B, T, C, H, W), every frame the same.

    Raises:
        RuntimeError: If it is asked before it was fitted.
    """

    interface = FittedFrameModel

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor | None
        self.register_buffer("mean", None)

    @classmethod
    def toy(cls) -> "TrainingMean":
        """Smallest honest instance, for the contract tests."""
        net = cls()
        net.fit([{"frames": torch.full(TOY_SHAPE, 0.5)}])
        return net

    def fit(self, samples: Iterable[Targets]) -> None:
        """Take the mean over samples and time, pixel by pixel, of what is valid.

        Args:
            samples: Targets of one sample each: ``frames`` (T', C, H, W), perhaps ``valid``.
        """
        total = count = torch.zeros((), dtype=torch.float64)
        for sample in samples:
            frames = sample["frames"]
            valid = sample.get("valid", torch.ones_like(frames, dtype=torch.bool))
            total = total + torch.where(valid, frames, 0.0).double().sum(dim=0)
            count = count + valid.sum(dim=0)
        self.mean = (total / count.clamp(min=1)).float()

    def forward(self, frames: Tensor) -> Tensor:
        if self.mean is None:
            raise RuntimeError("TrainingMean knows no mean yet; call fit(targets) first")
        return self.mean.to(frames).expand_as(frames)
