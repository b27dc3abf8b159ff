"""A small world of labelled maps, with gaps, chance and a schedule that waits for a score."""

import random
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from openstl_ext.interfaces import DenseModel
from openstl_ext.registry import DATASETS, HOOKS, MODELS
from openstl_ext.structures import Item, Metainfo

SAMPLES, FRAMES, SIDE = 22, 2, 6
CLASSES = ("background", "site")


@DATASETS.register_module()
class ToySites(Dataset):
    """Bright squares are sites; some pixels of each map were never labelled."""

    metainfo = Metainfo(name="toy_sites", channels=("red",), classes=CLASSES)

    def __init__(
        self, *, split: str = "train", num_samples: int = SAMPLES, disturbed: bool = True
    ) -> None:
        self.split, self.num_samples, self.disturbed = split, num_samples, disturbed

    def __len__(self) -> int:
        return self.num_samples

    def sample_id(self, index: int) -> str:
        return f"{self.split}-{index:05d}"

    def __getitem__(self, index: int) -> Item:
        first = index % 4
        labels = torch.zeros(SIDE, SIDE, dtype=torch.int64)
        labels[first : first + 3, 1:4] = 1
        frames = labels.float().expand(FRAMES, 1, SIDE, SIDE) * 0.5
        if self.disturbed:
            frames = frames + 0.1 * random.random() + 0.3 * torch.rand_like(frames)
        valid = torch.ones(SIDE, SIDE, dtype=torch.bool)
        valid[first] = False
        labels[~valid] = 255
        return {"inputs": {"frames": frames}, "data_samples": {"labels": labels, "valid": valid}}


@MODELS.register_module()
class ToyDense(nn.Module):
    """Two convolutions with running statistics and dropout."""

    interface = DenseModel

    def __init__(self, *, width: int = 4) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(FRAMES, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.GELU(),
            nn.Dropout(0.3),
            nn.Conv2d(width, 1, 3, padding=1),
        )

    def forward(self, frames: Tensor) -> Tensor:
        return self.body(frames.squeeze(2))


@HOOKS.register_module()
class RateDiary(Hook):
    """Write the learning rate of each epoch of each rank, to the last bit."""

    def before_train_epoch(self, runner: Runner) -> None:
        rate = runner.optim_wrapper.param_groups[0]["lr"]
        with (Path(runner.work_dir) / f"rates_{runner.rank}.txt").open("a") as file:
            file.write(f"{rate.hex()}\n")


def options(**more: Any) -> dict[str, Any]:
    """Keys for ``toy.config`` that turn its world into this one.

    The plateau comes after two validations without much progress, so that it comes at all.
    """
    judged = {"type": "ToySites", "num_samples": 7, "disturbed": False}
    plateau = {"type": "ReduceOnPlateauLR", "monitor": "dice@site", "rule": "greater"}
    scores = [{"type": name, "classes": list(CLASSES)} for name in ("Dice", "IoU", "CohenKappa")]
    return {
        "model": {
            "_delete_": True,
            "type": "Segmentation",
            "net": {"type": "ToyDense"},
            "loss": {"type": "BCEDice"},
        },
        "train_dataloader.dataset.type": "ToySites",
        "val_dataloader.dataset": judged,
        "test_dataloader.dataset": judged,
        "val_evaluator": scores,
        "test_evaluator": scores,
        "optim_wrapper": {
            "optimizer": {"type": "AdamW", "lr": 1e-2},
            "clip_grad": {"max_norm": 0.1},
        },
        "param_scheduler": [{**plateau, "patience": 1, "threshold": 0.5, "factor": 0.5}],
        **more,
    }
