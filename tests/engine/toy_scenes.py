"""Toy scenes of two sensors with a class each; imported as a plugin."""

import json
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.distributed.tensor import DTensor

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.registry import DATASETS, HOOKS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count

SIDE = 8
SIZES = {"train": 16, "val": 7, "test": 6}


@DATASETS.register_module()
class ToyScenes(SequenceDataset):
    """Stripes along rows or columns, seen in three bands, or as two images.

    Args:
        split: One of train, val, test.
        num_images: Number of images of a sample, the second with one band.
        labelled: Whether samples have labels.
        augment: Whether the images change from epoch to epoch.
        multi_label: Whether a label is a 0 or 1 for each class.
        alternates: Whether the images of odd samples are of other sensors, with fewer bands.
    """

    metainfo = Metainfo(
        name="toy_scenes",
        channels=tuple(Channel(f"band_{i}") for i in range(3)),
        classes=("rows", "columns"),
    )

    def __init__(
        self,
        *,
        split: str,
        num_images: Count = 1,
        labelled: bool = True,
        augment: bool = False,
        multi_label: bool = False,
        alternates: bool = False,
    ) -> None:
        self.split = self.check_split(split)
        self.num_images, self.labelled, self.augment = num_images, labelled, augment
        self.multi_label, self.alternates = multi_label, alternates

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Nothing is read."""

    def __len__(self) -> int:
        return SIZES[self.split]

    def __getitem__(self, index: int) -> Item:
        label = index % 2
        draw = torch.Generator().manual_seed(1000 * len(self.split) + index)
        wave = torch.sin(torch.arange(SIDE) * torch.pi / 2 + index)
        image = wave.expand(SIDE, SIDE) if label else wave.expand(SIDE, SIDE).T
        frames = image + 0.1 * torch.randn(self.num_images, 3, SIDE, SIDE, generator=draw)
        is_other = self.alternates and label
        bands = torch.tensor([[2, 1, -1], [0, -1, -1]] if is_other else [[0, 1, 2], [3, -1, -1]])
        bands = bands[: self.num_images]
        frames[bands < 0] = 0
        if self.augment:
            frames = frames + 0.1 * torch.randn(())
        labels = torch.tensor([1 - label, label] if self.multi_label else label)
        targets = {"labels": labels} if self.labelled else {}
        return {"inputs": {"frames": frames, "bands": bands}, "data_samples": targets}  # type: ignore[typeddict-item]


@HOOKS.register_module()
class ShareDiary(Hook):
    """Write how many values of the weights and of the optimiser this rank has, and of how many."""

    changes = "nothing"

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        optimiser = runner.optim_wrapper.optimizer
        weights = [p for group in optimiser.param_groups for p in group["params"]]
        averages = [state["exp_avg"] for state in optimiser.state.values()]
        counts = {}
        for name, tensors in (("weights", weights), ("averages", averages)):
            local = [t.to_local() if isinstance(t, DTensor) else t for t in tensors]
            counts[name] = [sum(t.numel() for t in each) for each in (local, tensors)]
        (Path(runner.work_dir) / f"shares_{runner.rank}.json").write_text(json.dumps(counts))
