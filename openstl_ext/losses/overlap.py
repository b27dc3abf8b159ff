"""Criteria for classes of pixels: how wrong each is, and how badly the whole shapes overlap.

A soft Dice is a ratio of sums over a batch, and no mean over its samples: with several processes,
each takes that of its own part of the batch, and their gradients are averaged. So two processes
with a batch of 8 do not train exactly as one with a batch of 16; nor do they upstream.
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

    Pixels that are not valid count in neither, whatever their labels hold. A batch without a
    valid pixel costs nothing and moves nothing. At those that are valid, labels must be 0 or 1;
    the dataset sees to that, as asking here would make a GPU wait at every step.

    Args:
        bce_weight: Factor of the cross-entropy, a mean over valid pixels.
        dice_weight: Factor of 1 - Dice, which is taken over all valid pixels of the batch at once.
        eps: Added to both ends of the ratio, in pixels: two empty maps agree.
        positive_weight: Factor of the cross-entropy of pixels of the second class, for rare sites.

    Shape:
        - logits: (B, 1, H, W); labels, valid: (B, H, W); returns: a scalar, float32.

    Raises:
        ConfigError: If a weight is negative, or both are 0.
        ShapeError: If there is more than one logit, or labels differ from it in shape.

    Source:
        xian1234/ST-Mamba@19bdeec, train_parally.py (CombinedLoss).

    Deviations:
        ``positive_weight`` and pixels without truth, of which upstream knows nothing.
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
                f"BCEDice takes one logit, got {logits.shape[1]}: use CrossEntropyDice, or a net "
                "with one class of interest"
            )
        logits, labels, known = blanked(logits, labels, valid)
        logit, truth = logits[:, 0], labels.float()
        weight = 1 + (self.positive_weight - 1) * truth
        bce = F.binary_cross_entropy_with_logits(logit, truth, weight=weight, reduction="none")
        dice = soft_dice(logit.sigmoid() * known, truth * known, self.eps, axes=(0, 1, 2))
        return self.bce_weight * mean_over_valid(bce, valid) + self.dice_weight * (1 - dice)


@LOSSES.register_module()
class CrossEntropyDice(nn.Module):
    """Cross-entropy and soft Dice of many classes, for nets of a logit for each.

    Pixels that are not valid count in neither, whatever their labels hold. A batch without a
    valid pixel costs nothing and moves nothing.

    Args:
        ce_weight: Factor of the cross-entropy, a mean over valid pixels.
        dice_weight: Factor of 1 - Dice, a mean over the classes that the truth of the batch has:
            one that it lacks would cost almost 1, however little of it is answered.
        class_weights: Factor of each class in the cross-entropy, whose mean is weighted then; the
            Dice weighs all classes alike as it is.
        eps: Added to both ends of each ratio, in pixels.

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
            raise ShapeError("CrossEntropyDice takes a logit a class, got one: use BCEDice")
        if self.class_weights is not None and len(self.class_weights) != num_classes:
            raise ShapeError(
                f"there are {len(self.class_weights)} class_weights, but {num_classes} logits"
            )
        logits, labels, known = blanked(logits, labels, valid)
        logs, axes = logits.log_softmax(dim=1), (0, 2, 3)
        truth = F.one_hot(labels, num_classes).movedim(-1, 1) * known[:, None]
        share = truth if self.class_weights is None else truth * self.class_weights.view(-1, 1, 1)
        smallest = torch.finfo(torch.float32).tiny  # where nothing is valid: 0 / 0 is NaN
        cross_entropy = -(share * logs).sum() / share.sum().clamp(min=smallest)
        dice = soft_dice(logs.exp() * known[:, None], truth, self.eps, axes)
        present = truth.sum(dim=axes) > 0
        lost = torch.where(present, 1 - dice, 0.0).sum() / present.sum().clamp(min=1)
        return self.ce_weight * cross_entropy + self.dice_weight * lost


def soft_dice(said: Tensor, truth: Tensor, eps: float, axes: tuple[int, ...]) -> Tensor:
    """Twice what two maps share over what they hold, summed over some axes.

    Shape:
        - said, truth: alike, in [0, 1], 0 where not valid; returns: the axes that are left.
    """
    shared = (said * truth).sum(dim=axes)
    return (2 * shared + eps) / (said.sum(dim=axes) + truth.sum(dim=axes) + eps)


def blanked(logits: Tensor, labels: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Logits in float32 and labels, both 0 where not valid; and 1 or 0 for valid or not.

    With ``where``, not with a product: a gap may hold NaN, and a label of 255 may index nothing.

    Shape:
        - logits: (B, K, H, W); labels, valid and the last that is returned: (B, H, W).
    """
    logits = logits.float()
    if valid is None:
        return logits, labels, torch.ones_like(labels, dtype=torch.float32)
    return torch.where(valid[:, None], logits, 0.0), torch.where(valid, labels, 0), valid.float()


def check_shapes(logits: Tensor, labels: Tensor) -> None:
    """Refuse labels that would be broadcast to logits that they are not for."""
    if logits.ndim != 4 or labels.shape != (len(logits), *logits.shape[2:]):
        raise ShapeError(
            "logits (B, K, H, W) need labels (B, H, W), got "
            f"{tuple(logits.shape)} and {tuple(labels.shape)}"
        )


def check_weights(**weights: float) -> None:
    """Refuse factors that would reward errors, or none at all."""
    if any(weight < 0 for weight in weights.values()) or not any(weights.values()):
        said = ", ".join(f"{name}={weight}" for name, weight in weights.items())
        raise ConfigError(f"weights are not negative, nor all 0; got {said}")
