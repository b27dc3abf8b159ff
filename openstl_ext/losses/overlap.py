"""Losses for pixel classes: cross-entropy plus soft Dice.

A soft Dice is a ratio of sums over a batch, not a mean over its samples. With several processes
each one uses its own part of the batch, and the gradients are averaged. Therefore two processes
with a batch of 8 do not train exactly like one with a batch of 16, as upstream.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.losses.pixel import mean_over_valid
from openstl_ext.registry import LOSSES


@LOSSES.register_module()
class BCEDice(nn.Module):
    """Binary cross-entropy and soft Dice of the second of two classes, for nets of one logit.

    Invalid pixels do not count in either term, for any value of their labels. The loss and the
    gradient of a batch without a valid pixel are zero. Labels of valid pixels must be 0 or 1; the
    dataset checks this, because a check here would synchronise the GPU at every step.

    Args:
        bce_weight: Factor of the cross-entropy, a mean over valid pixels.
        dice_weight: Factor of 1 - Dice, which is computed over all valid pixels of the batch.
        eps: Added to numerator and denominator, in pixels, so that two empty maps agree.
        positive_weight: Factor of the cross-entropy of pixels of the second class, for rare sites.

    Shape:
        - logits: (B, 1, H, W); labels, valid: (B, H, W); returns: a scalar, float32.

    Raises:
        ConfigError: If a weight is negative, or both are 0.
        ShapeError: If there is more than one logit, or labels differ from it in shape.

    Source:
        xian1234/ST-Mamba@19bdeec, train_parally.py (CombinedLoss).

    Deviations:
        Upstream has no ``positive_weight`` and no invalid pixels.
    """

    def __init__(
        self,
        *,
        bce_weight: float = 0.5,
        dice_weight: float = 0.5,
        eps: float = 1e-6,
        positive_weight: float | None = None,
    ) -> None:
        super().__init__()
        check_weights(bce_weight=bce_weight, dice_weight=dice_weight)
        self.bce_weight, self.dice_weight, self.eps = bce_weight, dice_weight, eps
        self.positive_weight = 1.0 if positive_weight is None else positive_weight
        check_weights(positive_weight=self.positive_weight)

    def forward(self, logits: Tensor, labels: Tensor, valid: Tensor | None = None) -> Tensor:
        check_shapes(logits, labels)
        if logits.shape[1] != 1:
            raise ShapeError(
                f"BCEDice needs one logit, got {logits.shape[1]}; use CrossEntropyDice, or a net "
                "with num_classes=1"
            )
        logits, labels, known = blanked(logits, labels, valid)
        logit, target = logits[:, 0], labels.float()
        weight = 1 + (self.positive_weight - 1) * target
        bce = F.binary_cross_entropy_with_logits(logit, target, weight=weight, reduction="none")
        dice = soft_dice(logit.sigmoid() * known, target * known, self.eps, axes=(0, 1, 2))
        return self.bce_weight * mean_over_valid(bce, valid) + self.dice_weight * (1 - dice)


@LOSSES.register_module()
class CrossEntropyDice(nn.Module):
    """Cross-entropy and soft Dice of several classes, for nets with one logit per class.

    Invalid pixels do not count in either term, for any value of their labels. The loss and the
    gradient of a batch without a valid pixel are zero.

    Args:
        ce_weight: Factor of the cross-entropy, a mean over valid pixels.
        dice_weight: Factor of 1 - Dice, a mean over the classes in the labels of the batch. A class
            without labels would add almost 1, even for a very small predicted probability.
        class_weights: Factor of each class in the cross-entropy, which is then a weighted mean;
            the Dice weights all classes equally.
        eps: Added to numerator and denominator of each ratio, in pixels.

    Shape:
        - logits: (B, K, H, W); labels, valid: (B, H, W); returns: a scalar, float32.

    Raises:
        ConfigError: If a weight is negative, or all are 0.
        ShapeError: If logits do not fit the class weights, or labels the logits.
    """

    class_weights: Tensor | None

    def __init__(
        self,
        *,
        ce_weight: float = 0.5,
        dice_weight: float = 0.5,
        class_weights: Sequence[float] | None = None,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        check_weights(ce_weight=ce_weight, dice_weight=dice_weight)
        self.ce_weight, self.dice_weight, self.eps = ce_weight, dice_weight, eps
        weights = None
        if class_weights is not None:
            check_weights(**{f"class_weights.{k}": w for k, w in enumerate(class_weights)})
            weights = torch.tensor(class_weights, dtype=torch.float32)
        # not persistent: they are in the config, and a checkpoint must not contradict it
        self.register_buffer("class_weights", weights, persistent=False)

    def forward(self, logits: Tensor, labels: Tensor, valid: Tensor | None = None) -> Tensor:
        check_shapes(logits, labels)
        num_classes = logits.shape[1]
        if num_classes == 1:
            raise ShapeError("CrossEntropyDice needs one logit per class, got one; use BCEDice")
        if self.class_weights is not None and len(self.class_weights) != num_classes:
            raise ShapeError(
                f"{num_classes} logits need {num_classes} class_weights, got "
                f"{len(self.class_weights)}"
            )
        logits, labels, known = blanked(logits, labels, valid)
        logs, axes = logits.log_softmax(dim=1), (0, 2, 3)
        target = F.one_hot(labels, num_classes).movedim(-1, 1) * known[:, None]
        share = target if self.class_weights is None else target * self.class_weights.view(-1, 1, 1)
        smallest = torch.finfo(torch.float32).tiny  # without valid pixels 0 / 0 would be NaN
        cross_entropy = -(share * logs).sum() / share.sum().clamp(min=smallest)
        dice = soft_dice(logs.exp() * known[:, None], target, self.eps, axes)
        present = target.sum(dim=axes) > 0
        dice_loss = torch.where(present, 1 - dice, 0.0).sum() / present.sum().clamp(min=1)
        return self.ce_weight * cross_entropy + self.dice_weight * dice_loss


def soft_dice(predicted: Tensor, target: Tensor, eps: float, axes: tuple[int, ...]) -> Tensor:
    """Compute twice the overlap of two maps over their sum, summed over some axes.

    Shape:
        - predicted, target: same shape, in [0, 1], 0 where invalid; returns: the remaining axes.
    """
    shared = (predicted * target).sum(dim=axes)
    return (2 * shared + eps) / (predicted.sum(dim=axes) + target.sum(dim=axes) + eps)


def blanked(logits: Tensor, labels: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return float32 logits and labels, both 0 where invalid, and ``valid`` as 1 or 0.

    It uses ``where``, not a product, because logits can be NaN in a gap; a label there can be 255,
    which is no valid class.

    Shape:
        - logits: (B, K, H, W); labels, valid, the last return value: (B, H, W).
    """
    logits = logits.float()
    if valid is None:
        return logits, labels, torch.ones_like(labels, dtype=torch.float32)
    return torch.where(valid[:, None], logits, 0.0), torch.where(valid, labels, 0), valid.float()


def check_shapes(logits: Tensor, labels: Tensor) -> None:
    """Raise an error for labels whose shape does not fit the logits, instead of broadcasting."""
    if logits.ndim != 4 or labels.shape != (len(logits), *logits.shape[2:]):
        raise ShapeError(
            "logits (B, K, H, W) need labels (B, H, W), got "
            f"{tuple(logits.shape)} and {tuple(labels.shape)}"
        )


def check_weights(**weights: float) -> None:
    """Raise an error for negative weights, or if all are 0."""
    if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        given = ", ".join(f"{name}={weight}" for name, weight in weights.items())
        raise ConfigError(f"weights must not be negative and not all 0; got {given}")
