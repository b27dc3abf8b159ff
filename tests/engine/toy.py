"""Toy dataset, net and hooks with everything that could make a resume inexact."""

import copy
import multiprocessing
import os
import random
import signal
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from openstl_ext.interfaces import FrameModel
from openstl_ext.registry import DATASETS, HOOKS, MODELS
from openstl_ext.structures import Channel, Item, Metainfo

SAMPLES, FRAMES, SIDE = 22, 2, 6


@DATASETS.register_module()
class ToyWaves(Dataset):
    """Waves with noise from all three random generators that datasets use."""

    metainfo = Metainfo(name="toy_waves", channels=(Channel("height"),))

    def __init__(
        self, *, split: str = "train", num_samples: int = SAMPLES, disturbed: bool = True
    ) -> None:
        self.split, self.num_samples, self.disturbed = split, num_samples, disturbed

    def __len__(self) -> int:
        return self.num_samples

    def sample_id(self, index: int) -> str:
        return f"{self.split}-{index:05d}"

    def __getitem__(self, index: int) -> Item:
        time = torch.arange(2 * FRAMES).view(-1, 1, 1, 1)
        column = torch.arange(SIDE).view(1, 1, 1, -1)
        wave = torch.sin(column - time + index).expand(-1, 1, SIDE, -1).clone()
        if self.disturbed:
            wave += random.random() + np.random.normal() + 0.1 * torch.rand_like(wave)
        return {"inputs": {"frames": wave[:FRAMES]}, "data_samples": {"frames": wave[FRAMES:]}}

    def target_names(self, index: int) -> list[str]:
        del index
        return []


@MODELS.register_module()
class ToyNet(nn.Module):
    """Two convolutions with batch norm and dropout, or without."""

    interface = FrameModel

    def __init__(self, *, width: int = 4, plain: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(FRAMES, width, 3, padding=1),
            nn.Identity() if plain else nn.BatchNorm2d(width),
            nn.GELU(),
            nn.Identity() if plain else nn.Dropout(0.3),
            nn.Conv2d(width, FRAMES, 3, padding=1),
        )

    def forward(self, frames: Tensor) -> Tensor:
        return self.body(frames.squeeze(2)).unsqueeze(2)

    @classmethod
    def toy_arguments(cls) -> dict[str, Any]:
        """Return the defaults; the number of frames is fixed to ``FRAMES``, not to TOY_SHAPE."""
        return {}


@HOOKS.register_module()
class KillHook(Hook):
    """Send a signal to this process, maybe to its workers, after an iteration before its save.

    ``in_validation`` sends it in the first validation after that iteration instead; ``rank`` sends
    it to one rank only.
    """

    changes = "nothing"

    def __init__(
        self,
        *,
        at: int,
        signum: int = signal.SIGKILL,
        workers: bool = False,
        rank: int | None = None,
        in_validation: bool = False,
    ) -> None:
        self.at, self.signum, self.workers = at, signum, workers
        self.rank, self.in_validation = rank, in_validation

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if not self.in_validation and runner.iter + 1 == self.at:
            self.kill(runner)

    def after_val_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if self.in_validation and runner.iter >= self.at:
            self.kill(runner)

    def kill(self, runner: Runner) -> None:
        if self.rank not in (None, runner.rank):
            return
        for child in multiprocessing.active_children() if self.workers else ():
            os.kill(child.pid, self.signum)
        os.kill(os.getpid(), self.signum)


@HOOKS.register_module()
class HangHook(Hook):
    """Sleep on one rank, or only work slowly."""

    changes = "nothing"

    def __init__(self, *, at: int, rank: int = 1, seconds: float = 60, busy: bool = False) -> None:
        self.at, self.rank, self.seconds, self.busy = at, rank, seconds, busy

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if (runner.iter + 1, runner.rank) != (self.at, self.rank):
            return
        if not self.busy:
            time.sleep(self.seconds)
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            textwrap.fill("word " * 100)  # a loop of one line would be seen at one place only


@HOOKS.register_module()
class DriftHook(Hook):
    """Change one weight on one rank by a thousandth, or its state in the optimiser."""

    changes = "nothing"

    def __init__(self, *, at: int, rank: int = 1, of_optimiser: bool = False) -> None:
        self.at, self.rank, self.of_optimiser = at, rank, of_optimiser

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if (runner.iter + 1, runner.rank) != (self.at, self.rank):
            return
        state = runner.optim_wrapper.optimizer.state
        weight = next(runner.model.parameters())
        value = state[weight]["exp_avg"] if self.of_optimiser else weight.data
        value.flatten()[0] *= 1.001


@HOOKS.register_module()
class PoisonHook(Hook):
    """Put NaN into the batch of one rank."""

    def __init__(self, *, at: int, rank: int = 0) -> None:
        self.at, self.rank = at, rank

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if (runner.iter + 1, runner.rank) == (self.at, self.rank):
            data_batch["data_samples"]["frames"].fill_(torch.nan)


@HOOKS.register_module()
class LargeGradientHook(Hook):
    """Add a gradient whose square is infinite to the first parameter, at one iteration."""

    def __init__(self, *, at: int) -> None:
        self.at = at

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter + 1 == self.at:
            parameter = next(runner.model.parameters())
            handle = parameter.register_hook(lambda grad: (handle.remove(), grad + 1e30)[1])


@HOOKS.register_module()
class LossDiary(Hook):
    """Write each loss bit for bit to a file that survives a kill."""

    changes = "nothing"

    priority = "VERY_HIGH"

    def after_train_iter(self, runner: Runner, *_: Any, outputs: dict, **__: Any) -> None:
        with (Path(runner.work_dir) / f"losses_{runner.rank}.txt").open("a") as file:
            file.write(f"{runner.iter} {outputs['loss'].item().hex()}\n")


def config(work_dir: Path | str, **options: Any) -> Config:
    """Return the config of a toy run.

    Args:
        work_dir: Its work directory.
        options: Dotted keys to set.
    """
    loader = {"batch_size": 3, "num_workers": 0, "dataset": {"type": "ToyWaves"}}
    # validation and test are the same data, so that their scores can be compared
    held_out = {"type": "ToyWaves", "split": "test", "num_samples": 7, "disturbed": False}
    evaluated = {**loader, "dataset": held_out}
    cfg = Config(
        {
            "model": {
                "type": "DirectForecast",
                "net": {"type": "ToyNet"},
                "loss": {"type": "L2"},
            },
            "train_dataloader": loader,
            "val_dataloader": evaluated,
            "test_dataloader": evaluated,
            "val_evaluator": [{"type": "MeanMSE"}],
            "test_evaluator": [{"type": "MeanMSE"}],
            "train_cfg": {"max_epochs": 3},
            "optim_wrapper": {"optimizer": {"type": "Adam", "lr": 1e-2}},
            "param_scheduler": [
                {"type": "OneCycleLR", "eta_max": 1e-2, "total_steps": 100, "by_epoch": False},
                {"type": "ExponentialMomentum", "gamma": 0.9},  # by epoch
            ],
            "default_hooks": {"logger": {"interval": 4}},
            "custom_hooks": [{"type": "LossDiary"}],
            "work_dir": str(work_dir),
            "seed": 3,
            "identity": "toy/run",
            "overrides": [],
            "source": {},
        }
    )
    cfg.merge_from_dict(copy.deepcopy(options))  # it changes its argument
    return cfg
