"""A small encoder of the published spectrum, and a raster for it."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from openstl_ext.registry import METHODS
from tests.rasters.files import write_tif

ENCODER = {"image_size": 16, "patch_size": 4, "channels": 16, "depth": 1, "num_heads": 2}
SENSOR = "sentinel2_l2a"


def pretraining() -> dict[str, Any]:
    net = {"type": "SpectralAutoencoder", "encoder": ENCODER, "decoder_channels": 16}
    net |= {"decoder_depth": 1, "decoder_num_heads": 2}
    return {"type": "MaskedAutoencoding", "net": net}


def built(block: dict[str, Any]) -> nn.Module:
    torch.manual_seed(0)
    return METHODS.build(block).eval()


def save_checkpoint(path: Path, block: dict[str, Any] | None = None) -> Path:
    """Save what a training of a config saves."""
    block = block or pretraining()
    state = built(block).state_dict()
    torch.save({"meta": {"config": {"model": block}}, "state_dict": state}, path)
    return path


def reflectance(height: int, width: int, *, bands: int = 12) -> np.ndarray:
    """Return numbers as Sentinel-2 L2A has them."""
    noise = np.random.default_rng(0).uniform(300, 2500, (bands, height, width))
    return noise.astype(np.uint16)


def write_scene(path: Path, height: int = 16, width: int = 16, **options: Any) -> Path:
    return write_tif(path, reflectance(height, width), **options)
