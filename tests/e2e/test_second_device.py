"""Recipes are trained and tested on a second device, with the scores of the CPU."""

import copy
from pathlib import Path

import mmengine.device.utils
import pytest
import torch
from mmengine.config import Config

from openstl_ext.config import load
from openstl_ext.engine.runner import build
from tests.second_device import second_device
from tests.small_recipe import shrink

CONFIGS = Path(__file__).parents[2] / "configs"
# together: figures, baselines, calibration before a test, cached features, labels of pixels
RECIPES = [
    "boiling/simvp_gsta_small",
    "human_modification/small/quantile_convlstm",
    "eurosat/smarties_vit_b_linear_probe",
    "lts/small/st_mamba",
    "sensor_scenes/pretraining",  # nearest neighbours as a monitor
]
FACTS = {
    "is_available": True,
    "is_initialized": True,
    "device_count": 1,
    "current_device": 0,
    "get_device_name": "second device",
    "max_memory_allocated": 10**6,
    "get_rng_state_all": [],
    **dict.fromkeys(
        ("synchronize", "reset_peak_memory_stats", "manual_seed_all", "set_rng_state_all")
    ),
}
"""What PyTorch's functions of CUDA return."""


def scores(cfg: Config, folder: Path) -> dict[str, float]:
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = str(folder)
    runner = build(cfg)
    runner.train()
    found: dict[str, float] = runner.test() if cfg.get("test_dataloader") else runner.val()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("identity", RECIPES)
def test_scores_are_those_of_the_cpu(
    identity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook or a metric would end a run on a GPU with tensors on two devices."""
    cfg = shrink(load(CONFIGS / f"{identity}.py"))
    cfg.train_cfg = {"max_iterations": 2, "val_interval": 2}
    cfg.param_scheduler = []
    cfg.custom_hooks = [h for h in cfg.custom_hooks if "checkpoint" not in h]
    for stage in ("train", "val", "test"):
        if loader := cfg.get(f"{stage}_dataloader"):
            loader.pin_memory = False  # it has threads, without the device
    expected = scores(cfg, tmp_path / "here")
    for name, value in FACTS.items():
        monkeypatch.setattr(torch.cuda, name, lambda *_, _value=value, **__: _value)
    monkeypatch.setattr(mmengine.device.utils, "DEVICE", "cuda")
    with second_device():
        found = scores(cfg, tmp_path / "there")
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-5, nan_ok=True)
