"""k nearest neighbours: the classes of the training samples with the most similar features."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, DataError
from openstl_ext.interfaces import EncoderModel
from openstl_ext.methods.base import LabelMethod
from openstl_ext.methods.classification import striped_images
from openstl_ext.registry import METHODS, MODELS
from openstl_ext.structures import Inputs, Targets
from openstl_ext.value_types import Count, Positive


@METHODS.register_module()
class NearestNeighbours(LabelMethod):
    """Weighted vote of the k samples of a bank whose features have the largest cosine similarity.

    A vote weighs ``exp(similarity / temperature)``. Nothing is trained: ``NeighbourTestLoop`` fills
    the bank from the training split. The bank is not a part of checkpoints.

    Args:
        net: Config of an EncoderModel, or the net; its weights are kept.
        num_classes: Number of classes K.
        k: Number of neighbours.
        temperature: The smaller, the more the most similar samples count.
        bank: Arguments of ``fill``, where they are known.
        data_preprocessor: Config of the normalisation.

    Source:
        Wu et al., instance discrimination (arXiv:1805.01978); SMARTIES, ``--knn``.
        https://github.com/gsumbul/SMARTIES
    """

    interface = EncoderModel

    def __init__(
        self,
        *,
        net: dict[str, Any],
        num_classes: Count,
        k: Count = 20,
        temperature: Positive = 0.07,
        bank: Mapping[str, Tensor] | None = None,
        data_preprocessor: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.net = MODELS.build(net).requires_grad_(False).eval()
        self.num_classes, self.k, self.temperature = num_classes, k, temperature
        self.bank_features: Tensor
        self.bank_labels: Tensor
        self.register_buffer("bank_features", torch.empty(0, 0), persistent=False)
        self.register_buffer("bank_labels", torch.empty(0, dtype=torch.int64), persistent=False)
        if bank is not None:
            self.fill(**bank)

    def train(self, mode: bool = True) -> "NearestNeighbours":
        """Set the mode; the encoder stays in evaluation mode."""
        super().train(mode)
        self.net.eval()
        return self

    def fill(self, features: Tensor, labels: Tensor) -> None:
        """Replace the bank.

        Shape:
            - features: (M, D); labels: (M,).

        Raises:
            ConfigError: If there are fewer samples than neighbours, or several labels a sample.
            DataError: If a label is no class.
        """
        if labels.ndim != 1:
            raise ConfigError(
                f"{type(self).__name__} needs one class per sample, the labels have the shape "
                f"{tuple(labels.shape)}; use Classification"
            )
        if len(features) < self.k:
            raise ConfigError(f"k={self.k} neighbours of {len(features)} samples; reduce k")
        if bool((labels < 0).any() or (labels >= self.num_classes).any()):
            wrong = int(labels.max() if labels.min() >= 0 else labels.min())
            raise DataError(f"class {wrong} in the bank, but num_classes is {self.num_classes}")
        device = self.data_preprocessor.device  # of all inputs; a probe is built beside a method
        self.bank_features = F.normalize(features.float(), dim=1).to(device)
        self.bank_labels = labels.to(device)

    @torch.no_grad()
    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        """Return the negative logarithm of the probability of the labels, without gradient."""
        return {"loss_labels": F.nll_loss(self.logits(inputs), targets["labels"])}

    def features(self, inputs: Inputs) -> Tensor:
        """Return the features of the samples (B, D)."""
        return self.net(inputs["frames"], inputs.get("bands"))

    def logits(self, inputs: Inputs) -> Tensor:
        if not len(self.bank_labels):
            raise ConfigError(
                'the bank of neighbours is empty; set test_cfg=dict(type="NeighbourTestLoop") and '
                "a train_dataloader"
            )
        features = F.normalize(self.features(inputs).float(), dim=1)
        similarity, index = (features @ self.bank_features.T).topk(self.k, dim=1)
        weight = (similarity / self.temperature).softmax(dim=1)
        votes = weight.new_zeros(len(features), self.num_classes)
        votes = votes.scatter_add(1, self.bank_labels[index], weight)
        return votes.clamp(min=torch.finfo(votes.dtype).tiny).log()

    def decide(self, logits: Tensor) -> dict[str, Tensor]:
        probability = logits.exp()
        return {"probability": probability, "labels": self.labels_of(probability)}

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        """Return constructor arguments of a small instance around a net."""
        batch = striped_images(4)
        with torch.no_grad():
            features = net.eval()(**batch["inputs"])
        bank = {"features": features, "labels": batch["data_samples"]["labels"]}
        return {"net": net, "num_classes": 2, "k": 2, "bank": bank}

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        """Return images with columns or rows, each frame as an image of another band."""
        return striped_images(size)
