"""Small versions of recipes for tests: toy data, narrow nets, short and small sequences."""

import functools
import tempfile
from pathlib import Path
from typing import Any

from mmengine.config import Config

from openstl_ext.registry import DATASETS, MODELS

SIZES: dict[str, dict[str, Any]] = {
    "MovingMNIST": {"num_inputs": 2, "num_targets": 2, "image_size": 32},
    "KTH": {"num_inputs": 2, "num_targets": 4, "image_size": 32},
    "HumanModification": {"chip_size": 16, "chips_per_epoch": 6},
    "LTSSegmentation": {"num_years": 4, "patch_size": 16},
    **{name: {"image_size": 32} for name in ("EuroSAT", "RESISC45", "UCMerced", "WHURS19")},
    **{name: {"image_size": 32} for name in ("BigEarthNet", "BigEarthNetMaps")},
    "BurnScars": {"crop_size": 32},
    "DFC2020": {"image_size": 32},
    "SpaceNet7": {"tile_size": 32},
    "DynamicEarthNet": {"crop_size": 16},
    "SensorPairs": {
        "image_size": 16,
        "pairs": (
            {"name": "optical", "root": "optical", "sensors": ("rgb", "sentinel2_l2a")},
            {"name": "radar", "root": "radar", "sensors": ("sentinel2_l2a", "sentinel1_grd")},
        ),
    },
    "Scenes": {"image_size": 16, "sensor": "sentinel2_l2a"},
    "SceneMaps": {"crop_size": 16, "sensor": "rgb", "classes": ("field", "wood")},
    "SICKLE": {"num_dates": 2, "image_size": 16},
}
"""Arguments of datasets whose frames and sequences have a size by argument."""
KEPT = (
    *("in_channels", "num_classes", "dynamic_channels", "static_channels", "num_horizons"),
    *(
        "in_shape",
        "num_heads",
        "dropout_prob",
        "drop_path_prob",
        "spectrum",
        "num_images",
        "num_bands",
        "condition_channels",
    ),
)
"""Arguments of nets that fit the data or select a variant; the others take their toy values."""


def shrink(cfg: Config) -> Config:
    """Make a recipe small, in place; losses, teacher forcing and schedules stay its own."""
    for stage in ("train", "val", "test"):
        if (loader := cfg.get(f"{stage}_dataloader")) is None:  # pre-training has only one
            continue
        loader.batch_size, loader.num_workers = 2, 0
        loader.dataset.root = str(toy_set(loader.dataset.type))
        loader.dataset.update(SIZES.get(loader.dataset.type, {}))
        if "digit_range" in loader.dataset:  # there are 60 toy digits, not 60,000
            loader.dataset.digit_range = tuple(end // 1000 for end in loader.dataset.digit_range)
        if bank := (cfg.get(f"{stage}_cfg") or {}).get("bank"):
            bank.update({k: v for k, v in loader.dataset.items() if k != "split"})
            votes = cfg.model if cfg.model.type == "NearestNeighbours" else cfg[f"{stage}_cfg"]
            votes.k = 3  # of a dozen toy samples
        if loader.dataset.get("target") == "HM":  # integers in the toy data
            loader.dataset["values"] = "0-10000"
    if "statistics" in (preprocessor := cfg.model.get("data_preprocessor") or {}):
        path = Path(cfg.train_dataloader.dataset.root, Path(preprocessor.statistics).name)
        preprocessor.statistics = str(path)
    net = cfg.model.net
    toy = MODELS.get(net.type).toy_arguments()
    if "encoder" in toy:  # its bands are those of the data
        inner = toy.pop("encoder")
        net.encoder.update({k: v for k, v in inner.items() if k != "spectrum"})
    elif "spectrum" in toy:
        net.num_heads = toy["num_heads"]
        net.pop("sensors", None)  # the toy scenes are of a published one
    net.update({name: value for name, value in toy.items() if name not in KEPT})
    if "num_images" in net:
        frames = DATASETS.build(cfg.train_dataloader.dataset)[0]["inputs"]["frames"]
        net.num_images = len(frames)
    if "num_targets" in net:
        item = DATASETS.build(cfg.train_dataloader.dataset)[0]
        net.num_inputs = len(item["inputs"]["frames"])
        net.num_targets = len(item["data_samples"]["frames"])
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
