"""Training by the runner, against a bare loop over the same model and data."""

import tempfile
from collections.abc import Callable

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.harness import Row, compare
from openstl_ext.engine.collate import collate
from openstl_ext.engine.runner import build
from openstl_ext.interfaces import FrameModel
from openstl_ext.registry import DATASETS, MODELS
from openstl_ext.structures import Channel, Item, Metainfo

STEPS, BATCH = 40, 4


@DATASETS.register_module()
class StillFrames(Dataset):
    """Frames that need no loading, so that only the loop is compared."""

    metainfo = Metainfo(name="still", channels=(Channel("value"),))

    def __init__(self) -> None:
        self.frames = torch.rand(10, 1, 64, 64)

    def __len__(self) -> int:
        return STEPS * BATCH

    def __getitem__(self, index: int) -> Item:
        return {"inputs": {"frames": self.frames}, "data_samples": {"frames": self.frames}}


@MODELS.register_module()
class PlainStack(nn.Module):
    """Enough convolutions for a step of some 30 ms."""

    interface = FrameModel

    def __init__(self) -> None:
        super().__init__()
        convolutions = [nn.Conv2d(32, 32, 3, padding=1) for _ in range(4)]
        self.body = nn.Sequential(
            nn.Conv2d(10, 32, 3, padding=1), *convolutions, nn.Conv2d(32, 10, 1)
        )

    def forward(self, frames: Tensor) -> Tensor:
        return self.body(frames.squeeze(2)).unsqueeze(2)


def config(work_dir: str) -> Config:
    """Return the config of one epoch, with the defaults of a run except validation."""
    return Config(
        {
            "model": {
                "type": "DirectForecast",
                "net": {"type": "PlainStack"},
                "loss": {"type": "L2"},
            },
            "train_dataloader": {"batch_size": BATCH, "dataset": {"type": "StillFrames"}},
            "train_cfg": {"max_epochs": 1},
            "optim_wrapper": {"optimizer": {"type": "Adam", "lr": 1e-3}},
            # a checkpoint costs time of the disk, not of the loop
            "default_hooks": {"checkpoint": None},
            "work_dir": work_dir,
        }
    )


def bare_epoch(method: nn.Module) -> Callable[[], None]:
    """Return one epoch of a plain PyTorch loop."""
    loader = DataLoader(StillFrames(), batch_size=BATCH, shuffle=True, collate_fn=collate)
    optimizer = torch.optim.Adam(method.parameters(), lr=1e-3, fused=True)

    def run() -> None:
        method.train()
        for batch in loader:
            losses = method(**method.data_preprocessor(batch, training=True), mode="loss")
            sum(losses.values()).backward()
            optimizer.step()
            optimizer.zero_grad()

    return run


def rows() -> list[Row]:
    """The goal is at most 5 % of a step."""
    with tempfile.TemporaryDirectory() as folder:
        runner = build(config(folder))
        MMLogger.get_current_instance().setLevel("ERROR")
        runner.train()  # what is done once per run is not measured

        def epoch() -> None:
            runner.train_loop.seek(epoch=0, iteration=0)
            runner.train_loop.run()

        baseline, ours = compare(bare_epoch(runner.model), epoch)
    return [Row(f"runner, {STEPS} steps", "a bare loop", baseline, ours, goal=0.95)]
