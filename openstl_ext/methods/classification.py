"""Classification: predict the class, or the classes, of a sample from features of an encoder."""

from typing import Any

import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import TOY_SHAPE, EncoderModel
from openstl_ext.methods.base import LabelMethod, toy_bands
from openstl_ext.methods.sample_mixing import SampleMixing
from openstl_ext.registry import LOSSES, METHODS, MODELS
from openstl_ext.structures import Inputs, Targets
from openstl_ext.value_types import Count, Positive

EVEN = 0.5
"""Probability from which a sample has a class, where it may have several."""


@METHODS.register_module()
class Classification(LabelMethod):
    """Train a linear head on the features of an encoder, together with it or on its own.

    Args:
        net: Config of an EncoderModel, or the net.
        num_classes: Number of classes K.
        loss: Config of the criterion, called with (logits, labels, valid).
        multi_label: Whether a sample has any number of classes; labels are then (B, K), 0 or 1.
        num_images: Number of images T of a sample, whose features are joined.
        frozen: Whether the encoder keeps its weights (linear probing). It is then always in
            evaluation mode, without gradients.
        standardises_features: Whether features are standardised by running statistics of a batch
            norm without weights, as in linear probing. With several processes each standardises by
            its own part of a batch, and the statistics of the first one are kept.
        head_std: Standard deviation of the initial weights of the head.
        sample_mixing: Arguments of ``SampleMixing``: mixup and CutMix in training; None for none.
        data_preprocessor: Config of the normalisation.

    Raises:
        ConfigError: If there are fewer than two classes, or features of a training batch of one
            sample are to be standardised.

    Source:
        Sumbul et al., SMARTIES (arXiv:2506.19585), ``main_downstream.py``: fine-tuning has
        ``head_std`` 2e-5, linear probing 0.01 and standardised features.

    Deviations:
        The encoder of a linear probe stays in evaluation mode.
    """

    interface = EncoderModel

    def __init__(
        self,
        *,
        net: dict[str, Any],
        num_classes: Count,
        loss: dict[str, Any],
        multi_label: bool = False,
        num_images: Count = 1,
        frozen: bool = False,
        standardises_features: bool = False,
        head_std: Positive = 0.01,
        sample_mixing: dict[str, Any] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        if num_classes < 2:
            raise ConfigError(f"num_classes is {num_classes}; two or more are needed")
        self.net = MODELS.build(net)
        self.criterion = LOSSES.build(loss)
        self.num_classes, self.multi_label, self.frozen = num_classes, multi_label, frozen
        self.mixing = None if sample_mixing is None else SampleMixing(**sample_mixing)
        width = num_images * self.net.out_channels
        self.feature_norm = (
            nn.BatchNorm1d(width, affine=False, eps=1e-6) if standardises_features else None
        )
        self.head = nn.Linear(width, num_classes)
        nn.init.trunc_normal_(self.head.weight, std=head_std)
        nn.init.zeros_(self.head.bias)
        if frozen:
            self.net.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "Classification":
        """Set the mode; a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.net.eval()
        return self

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        labels, valid = targets["labels"], targets.get("valid")
        if self.mixing is None or len(labels) == 1:
            return {"loss_labels": self.criterion(self.logits(inputs), labels, valid)}
        mixed, share = self.mixing(inputs)
        logits = self.logits(mixed)
        # the criterion is linear in the target, so two terms equal one with mixed labels
        own = self.criterion(logits, labels, valid)
        other = self.criterion(logits, labels.flip(0), None if valid is None else valid.flip(0))
        return {"loss_labels": share * own + (1 - share) * other}

    def logits(self, inputs: Inputs) -> Tensor:
        features = self.features(inputs)
        if self.feature_norm is not None:
            if self.training and len(features) == 1:
                raise ConfigError(
                    "standardises_features: a batch has one sample, which has no deviation; set "
                    "train_dataloader.drop_last=True, or another batch_size"
                )
            features = self.feature_norm(features)
        return self.head(features)

    def features(self, inputs: Inputs) -> Tensor:
        """Return the features of the samples (B, T * D); those in the inputs, if there are any."""
        if "features" in inputs:
            return inputs["features"]
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self.net(inputs["frames"], inputs.get("bands"))

    def decide(self, logits: Tensor) -> dict[str, Tensor]:
        probability = logits.sigmoid() if self.multi_label else logits.softmax(dim=1)
        return {"probability": probability, "labels": self.labels_of(probability)}

    def labels_of(self, probability: Tensor) -> Tensor:
        """Return the most probable class (B,), or 0 or 1 for each class (B, K).

        Shape:
            - probability: (B, K).
        """
        if self.multi_label:
            return (probability >= EVEN).long()
        return probability.argmax(dim=1)

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        return {
            **{"net": net, "num_classes": 2, "num_images": TOY_SHAPE[0]},
            "loss": {"type": "CrossEntropy"},
        }

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return images with columns or rows, each frame as an image of another band."""
        return striped_images(size)


def striped_images(size: int) -> dict[str, dict[str, Tensor]]:
    """Return toy images (size, T, C, H, W) of two classes: dark rows or bright columns."""
    length, channels, height, width = TOY_SHAPE
    labels = torch.arange(size) % 2
    wave = torch.sin(torch.arange(width) * torch.pi / 2)
    columns = wave.expand(height, width)
    images = torch.where(labels.view(-1, 1, 1) > 0, columns, columns.T)
    noise = torch.rand(size, 1, height, width, generator=torch.Generator().manual_seed(0))
    frames = (images + 0.5 * labels.view(-1, 1, 1))[:, None, None] + 0.1 * noise[:, None]
    return {
        "inputs": {"frames": frames.expand(-1, length, channels, -1, -1), "bands": toy_bands(size)},
        "data_samples": {"labels": labels},
    }
