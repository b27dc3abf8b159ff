"""Small versions of recipes for tests: toy data, narrow nets, short and small sequences."""

import functools
import tempfile
from pathlib import Path
from typing import Any

from mmengine.config import Config

from openstl_ext.registry import DATASETS

SIZES: dict[str, dict[str, Any]] = {
    "MovingMNIST": {"num_inputs": 2, "num_targets": 2, "image_size": 32},
    "KTH": {"num_inputs": 2, "num_targets": 4, "image_size": 32},
    "HumanModification": {"chip_size": 16, "chips_per_epoch": 6},
    "LTSSegmentation": {"num_years": 4, "patch_size": 16},
}
"""Arguments of datasets that make their frames and sequences small."""
WIDTHS: dict[str, dict[str, Any]] = {
    "SimVP": {"spatial_channels": 4, "temporal_channels": 8, "num_temporal_blocks": 2},
    "ConvLSTM": {"hidden": (4, 4), "kernel_size": 3},
    "VMRNNB": {"channels": 16, "depths": (1,)},
    "VMRNND": {"channels": 16, "depths_down": (1, 1), "depths_up": (1, 1)},
    "CovariateConvLSTM": {"hidden_channels": 4},
    "QuantileConvLSTM": {
        **{"hidden_channels": 4, "num_layers": 1, "location_channels": 2},
        **{"harmonic_degrees": 3, "location_hidden": 4},
    },
    "ConvGRUUNet": {"widths": (4, 4, 8)},
    "ConvLSTMUNet": {"widths": (4, 4, 8)},
    "UNet2Plus1D": {"widths": (4, 4, 8), "time_strides": (1, 2)},
    "UNet": {"num_steps": 4, "widths": (4, 4, 8)},
    "STMamba": {"widths": (4, 4, 8), "patch_size": 16, "state_size": 4},
    "PixelLogistic": {"num_steps": 4},
}


def shrink(cfg: Config) -> Config:
    """Make a recipe small, in place; patch sizes, teacher forcing, losses and schedules stay."""
    for stage in ("train", "val", "test"):
        if (loader := cfg.get(f"{stage}_dataloader")) is None:  # pre-training has only one
            continue
        loader.batch_size, loader.num_workers = 2, 0
        loader.dataset.root = str(toy_set(loader.dataset.type))
        loader.dataset.update(SIZES.get(loader.dataset.type, {}))
        if loader.dataset.get("target") == "HM":  # integers in the toy data
            loader.dataset["values"] = "0-10000"
    if "statistics" in (preprocessor := cfg.model.get("data_preprocessor") or {}):
        path = Path(cfg.train_dataloader.dataset.root, Path(preprocessor.statistics).name)
        preprocessor.statistics = str(path)
    net = cfg.model.net
    net.update(WIDTHS.get(net.type, {}))
    if "in_shape" in net:
        frames = DATASETS.build(cfg.train_dataloader.dataset)[0]["inputs"]["frames"]
        if cfg.train_dataloader.dataset.type not in SIZES:
            assert tuple(frames.shape[:2]) == tuple(net.in_shape[:2])
        assert frames.shape[1] == net.in_shape[1]
        net.in_shape = tuple(frames.shape)
    return cfg


@functools.cache
def toy_set(kind: str) -> Path:
    """Write the toy data of a dataset once for all tests of this process."""
    root = Path(_home().name) / kind
    root.mkdir()
    DATASETS.get(kind).make_toy(root)
    return root


@functools.cache
def _home() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory()
