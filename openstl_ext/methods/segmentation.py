"""Segmentation: predict a class for each pixel from a series of frames."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import TOY_SHAPE, DenseModel, SpectralDenseModel, provides
from openstl_ext.methods.base import LabelMethod, toy_bands
from openstl_ext.registry import LOSSES, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets
from openstl_ext.value_types import Share

EVEN = 0.5
"""Threshold at which the more probable of two classes is chosen."""
UNLABELLED = 255
"""Value of toy labels without a class, as in many published label rasters."""


@METHODS.register_module()
class Segmentation(LabelMethod):
    """Train a net on labelled pixels; predict the probability of each class at each pixel.

    One logit means two classes and is the log-odds of the second; K logits mean K classes.

    Args:
        net: Config of a DenseModel, or the net.
        loss: Config of the criterion, called with (logits, labels, valid).
        threshold: Smallest probability of the second class at which a pixel belongs to it; with
            more than two classes the most probable one is chosen, without a threshold.
        data_preprocessor: Config of the normalisation.

    Raises:
        ConfigError: If the threshold is not between 0 and 1, or is set for more than two classes.

    Source:
        xian1234/ST-Mamba@19bdeec, train_parally.py.

    Deviations:
        Upstream has no rule for more than two classes. A pixel exactly at the threshold belongs
        to the second class here, and to the first there.
    """

    interface = DenseModel

    def __init__(
        self,
        *,
        net: dict[str, Any],
        loss: dict[str, Any],
        threshold: Share = EVEN,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        if not 0 < threshold < 1:
            raise ConfigError(f"threshold is {threshold}; it must be a probability between 0 and 1")
        self.net = MODELS.build(net)
        self.criterion = LOSSES.build(loss)
        self.threshold = threshold

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        logits = self.logits(inputs)
        return {"loss_labels": self.criterion(logits, targets["labels"], targets.get("valid"))}

    def logits(self, inputs: Inputs) -> Tensor:
        if provides(self.net, SpectralDenseModel):
            logits = self.net(inputs["frames"], inputs.get("bands"))
        else:
            logits = self.net(inputs["frames"])
        # checked here, so that the first training step fails and not the first validation
        if logits.shape[1] > 2 and self.threshold != EVEN:
            raise ConfigError(
                f"threshold={self.threshold} is for two classes, but the net has "
                f"{logits.shape[1]}, of which the most probable is chosen; remove threshold"
            )
        return logits

    def decide(self, logits: Tensor) -> dict[str, Tensor]:
        if logits.shape[1] == 1:
            second = logits.sigmoid()
            probability = torch.cat([1 - second, second], dim=1)
        else:
            probability = logits.softmax(dim=1)
        return {"probability": probability, "labels": self.labels_of(probability)}

    def labels_of(self, probability: Tensor) -> Tensor:
        """Return the classes of probabilities, which may be blended from several tiles.

        Shape:
            - probability: (B, K, H, W), K being 2 for a net of one logit; returns: (B, H, W).
        """
        if probability.shape[1] == 2:
            return (probability[:, 1] >= self.threshold).long()
        return probability.argmax(dim=1)

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        with torch.no_grad():
            toy = torch.zeros(1, *TOY_SHAPE)
            bands = (toy_bands(1),) if provides(net, SpectralDenseModel) else ()
            num_logits = net.eval()(toy, *bands).shape[1]
        return {"net": net, "loss": {"type": "BCEDice" if num_logits == 1 else "CrossEntropyDice"}}

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return sites that become brighter in each frame; a strip of each map has no labels."""
        length, channels, height, width = TOY_SHAPE
        phase = torch.rand(size, 1, 1, generator=torch.Generator().manual_seed(0)) * 2 * torch.pi
        row = torch.arange(height).view(1, -1, 1)
        column = torch.arange(width).view(1, 1, -1)
        ridge = torch.cos(2 * torch.pi * column / width + phase)
        relief = ridge * torch.cos(2 * torch.pi * row / height)
        growth = torch.linspace(0.25, 0.5, length).view(1, -1, 1, 1, 1)
        frames = 0.5 + growth * relief[:, None, None].expand(-1, length, channels, -1, -1)
        valid = torch.ones(size, height, width, dtype=torch.bool)
        valid[:, :2] = False
        labels = torch.where(valid, (relief > 0.2).long(), UNLABELLED)
        return {
            "inputs": {"frames": frames, "bands": toy_bands(size)},
            "data_samples": {"labels": labels, "valid": valid},
        }
