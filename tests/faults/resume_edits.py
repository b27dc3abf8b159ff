"""Edits of a config before a resume: those that change later steps are refused, others are not."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import MMLogger

from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import build
from openstl_ext.errors import UserError
from tests.engine.toy import config
from tests.faults.row import Row

Edit = dict[str, Any]
"""Values by dotted key, for ``toy.config``."""

ONE_CYCLE = {"type": "OneCycleLR", "eta_max": 1e-2, "total_steps": 100, "by_epoch": False}
MOMENTUM = {"type": "ExponentialMomentum", "gamma": 0.9}
DIARY = {"type": "LossDiary"}
PLATEAU = {"type": "ReduceOnPlateauLR", "monitor": "mse", "rule": "less"}
STOPPING = {"type": "EarlyStoppingHook", "monitor": "mse", "rule": "less", "patience": 9}
STATISTICS = {"type": "SequencePreprocessor", "mean": 1.0, "std": 2.0}

REFUSED: list[Edit] = [
    {"model.loss.type": "L1"},
    {"model.loss": {"type": "Sum", "terms": [{"type": "L2"}, {"type": "L1"}], "_delete_": True}},
    {"model.net.width": 5},
    {"model.data_preprocessor": STATISTICS},
    {"optim_wrapper.optimizer.lr": 1e-3},
    {"optim_wrapper.optimizer.betas": (0.8, 0.99)},
    {"optim_wrapper.optimizer.eps": 1e-6},
    {"optim_wrapper.optimizer.weight_decay": 0.1},
    {"optim_wrapper.optimizer.type": "AdamW"},
    {"optim_wrapper.optimizer": {"type": "SGD", "lr": 1e-2, "_delete_": True}},
    {"optim_wrapper.accumulative_counts": 2},
    {"optim_wrapper.clip_grad": {"max_norm": 1.0}},
    {"optim_wrapper.type": "AutocastOptimWrapper"},
    {"optim_wrapper.paramwise_cfg": {"bias_lr_mult": 2.0}},
    {"param_scheduler": [{**ONE_CYCLE, "eta_max": 2e-2}, MOMENTUM]},
    {"param_scheduler": [{**ONE_CYCLE, "total_steps": 90}, MOMENTUM]},
    {"param_scheduler": [{**ONE_CYCLE, "pct_start": 0.5}, MOMENTUM]},
    {"param_scheduler": [ONE_CYCLE]},
    {"param_scheduler": [MOMENTUM, ONE_CYCLE]},
    {"param_scheduler": []},
    {"param_scheduler": [ONE_CYCLE, MOMENTUM, PLATEAU]},
    {"train_dataloader.batch_size": 4},
    {"train_dataloader.drop_last": True},
    {"train_dataloader.sampler": {"type": "DefaultSampler", "shuffle": False}},
    {"train_dataloader.sampler": {"type": "DefaultSampler", "shuffle": True, "seed": 9}},
    {"train_dataloader.dataset.num_samples": 21},
    {"train_dataloader.dataset.disturbed": False},
    {"train_dataloader.dataset.split": "other"},
    {"train_cfg": {"max_iterations": 16, "_delete_": True}},
    {"seed": 4},
    {"randomness": {"deterministic": True}},
    {"custom_hooks": [DIARY, {"type": "EMAHook", "momentum": 0.1}]},
    {"custom_hooks": [DIARY, {"type": "PoisonHook", "at": 99}]},
    {"custom_hooks": [DIARY, STOPPING]},
    {"auto_scale_lr": {"enable": True, "base_batch_size": 6}},
    {"default_hooks.guard": {"interval": 3}},
]
"""Edits that change what a later iteration computes, or what an earlier one would have."""

FREE: list[Edit] = [
    {},
    {"train_dataloader.num_workers": 1},
    {"train_dataloader.pin_memory": False},
    {"train_cfg.max_epochs": 3},
    {"train_cfg.val_interval": 2},
    {"train_cfg.val_begin": 2},
    {"val_dataloader.batch_size": 5},
    {"val_dataloader.dataset.num_samples": 5},
    {"val_evaluator": [{"type": "MeanMAE"}]},
    {"test_dataloader.dataset.num_samples": 5},
    {"test_evaluator": [{"type": "MeanMAE"}]},
    {"default_hooks.logger.interval": 1},
    {"default_hooks.checkpoint": {"interval": 4, "by_epoch": False}},
    {"default_hooks.checkpoint": {"keep": 5}},
    {"default_hooks.checkpoint": {"save_best": None}},
    {"custom_hooks": [DIARY, {"type": "ResultHook"}, {"type": "BaselinesHook"}]},
    {"custom_hooks": []},
    {"visualizer": {"type": "Visualizer", "vis_backends": [{"type": "JsonLinesTracker"}]}},
    {"log_level": "ERROR"},
    {"source": {"name": "Toy", "claimed": {"mse": 1.0}}},
]
"""Edits of validation, test, logging, saving and speed."""


def edits() -> Iterator[tuple[Edit, bool]]:
    """Yield each edit, and whether a resume must refuse it."""
    yield from ((edit, True) for edit in REFUSED)
    yield from ((edit, False) for edit in FREE)


def final(folder: Path) -> list[torch.Tensor]:
    """Return the weights at the end of a run of two epochs."""
    return list(checkpoint.read(folder / "checkpoints/epoch_2.pth")["state_dict"].values())


def rows() -> Iterator[Row]:
    """Resume a run of two epochs after the first one with each edit."""
    torch.set_num_threads(1)
    kept = {"train_cfg.max_epochs": 2, "default_hooks.checkpoint": {"keep": 9}}
    refused = resumed = lost = 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole")
        build(config(whole, **kept)).train()
        start, expected = str(whole / "checkpoints/epoch_1.pth"), final(whole)
        for number, (edit, must_refuse) in enumerate(edits()):
            place = Path(folder, str(number))
            try:
                run = build(config(place, **{**kept, **edit, "resume": start}))
                MMLogger.get_current_instance().setLevel("ERROR")
                run.train()
                same = all(map(torch.equal, final(place), expected))
                resumed += same and not must_refuse
                lost += must_refuse or not same
                if must_refuse or not same:
                    print(f"lost: {edit}")
            except UserError:
                written = [*place.glob("checkpoints/*.pth"), *place.glob("*.py")]
                refused += must_refuse and not written
                lost += not must_refuse or bool(written)
                if not must_refuse or written:
                    print(f"lost: {edit}, written {written}")
    yield Row(
        name="edits on resume",
        injected=len(REFUSED) + len(FREE),
        detected=refused,
        recovered=resumed,
        lost=lost,
        note=f"{len(FREE)} of them cannot change the training, and must give the same weights",
    )


if __name__ == "__main__":
    for row in rows():
        print(json.dumps(row.__dict__))
