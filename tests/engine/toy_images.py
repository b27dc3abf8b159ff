"""Toy dataset of images with one class or several labels, a net and a method for both."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from openstl_ext.interfaces import EncoderModel
from openstl_ext.methods.base import LabelMethod
from openstl_ext.registry import DATASETS, METHODS, MODELS
from openstl_ext.structures import Channel, Inputs, Item, Metainfo, Targets
from tests.engine import toy

SIDE = 4
CLASSES = ("forest", "water", "town")
METRICS = {
    False: ("OverallAccuracy", "AverageAccuracy", "Recall", "CohenKappa"),
    True: ("AveragePrecisionMicro", "AveragePrecisionMacro", "F1Micro", "F1Macro"),
}
"""Metrics of one class and of several labels."""


@DATASETS.register_module()
class ToyImages(Dataset):
    """The channels that are bright are the classes of an image; some labels are unknown."""

    metainfo = Metainfo(
        name="toy_images", channels=tuple(map(Channel, ("red", "green", "blue"))), classes=CLASSES
    )

    def __init__(self, *, split: str = "train", num_samples: int = 12, several: bool) -> None:
        self.split, self.num_samples, self.several = split, num_samples, several

    def __len__(self) -> int:
        return self.num_samples

    def sample_id(self, index: int) -> str:
        return f"{self.split}-{index}"

    def __getitem__(self, index: int) -> Item:
        draw = torch.Generator().manual_seed(100 * len(self.split) + index)
        labels = (
            torch.rand(3, generator=draw) < 0.5 if self.several else torch.arange(3) == index % 3
        )
        noise = torch.rand(1, 3, SIDE, SIDE, generator=draw)
        frames = 0.5 * labels.float().view(1, 3, 1, 1) + noise
        target = labels.long() if self.several else torch.tensor(index % 3)
        valid = torch.ones_like(target, dtype=torch.bool)
        if index == 1:
            valid[...] = False
        return {"inputs": {"frames": frames}, "data_samples": {"labels": target, "valid": valid}}


@MODELS.register_module()
class ToyImageNet(nn.Module):
    """A linear function of the mean of each channel."""

    interface = EncoderModel

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, len(CLASSES))

    def forward(self, frames: Tensor, bands: Tensor | None = None) -> Tensor:
        return self.head(frames.mean(dim=(1, 3, 4)))


@METHODS.register_module()
class ToyImageLabels(LabelMethod):
    """Logits of the net are those of classes that exclude each other, or do not."""

    interface = EncoderModel

    def __init__(self, *, net: dict[str, Any], several: bool) -> None:
        super().__init__()
        self.net, self.several = MODELS.build(net), several

    def loss(self, inputs: Inputs, targets: Targets) -> dict[str, Tensor]:
        logits, labels = self.logits(inputs), targets["labels"]
        if self.several:
            loss = nn.functional.binary_cross_entropy_with_logits(logits, labels.float())
        else:
            loss = nn.functional.cross_entropy(logits, labels)
        return {"loss_labels": loss}

    def logits(self, inputs: Inputs) -> Tensor:
        return self.net(inputs["frames"])

    def decide(self, logits: Tensor) -> dict[str, Tensor]:
        probability = logits.sigmoid() if self.several else logits.softmax(dim=1)
        return {"probability": probability, "labels": self.labels_of(probability)}

    def labels_of(self, probability: Tensor) -> Tensor:
        return (probability > 0.5).long() if self.several else probability.argmax(dim=1)

    @classmethod
    def toy_arguments(cls, net: nn.Module) -> dict[str, Any]:
        return {"net": net, "several": False}

    @staticmethod
    def toy_batch(size: int) -> dict[str, dict[str, Tensor]]:
        raise NotImplementedError


def config(folder: Path, *, several: bool, **more: Any) -> Any:
    """Return the config of a run on this dataset."""
    held_out = {"_delete_": True, "type": "ToyImages", "num_samples": 10, "several": several}
    scores = [{"type": name, "classes": list(CLASSES)} for name in METRICS[several]]
    return toy.config(
        folder,
        **{
            "model": {
                "_delete_": True,
                "type": "ToyImageLabels",
                "net": {"type": "ToyImageNet"},
                "several": several,
            },
            "train_dataloader.dataset": {"type": "ToyImages", "several": several},
            "val_dataloader.dataset": {**held_out, "split": "val"},
            "test_dataloader.dataset": {**held_out, "split": "test"},
            "val_evaluator": scores,
            "test_evaluator": scores,
            "custom_hooks": [{"type": "PredictionsHook"}, {"type": "ResultHook"}],
            **more,
        },
    )
