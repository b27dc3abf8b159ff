"""Short flags on every shipped config: each acts on all that it should, or is refused."""

import copy
import functools
from pathlib import Path
from typing import Any

import pytest

from openstl_ext.config import config_names, installed_configs, load, overrides
from openstl_ext.errors import ConfigError
from openstl_ext.flags.entries import entries
from openstl_ext.flags.parts import WITH_DATA, datasets
from openstl_ext.flags.values import Flags
from openstl_ext.loader_files import ChoiceWarning

NAMES = [name for name in config_names() if (installed_configs() / f"{name}.py").is_file()]
VALIDATED_ELSEWHERE = "sensor_pairs/"
SINGLE_IMAGES = (
    *("bigearthnet", "burn_scars", "dfc2020", "eurosat", "resisc45", "sensor_pairs"),
    *("sensor_scenes", "spacenet7", "uc_merced", "whu_rs19", "dynamic_earth_net", "taxibj"),
)
LABELS = ("lts", "sickle")
ARGUMENTS = {
    "frames_in": {"num_inputs", "num_years", "num_dates"},
    "frames_out": {"num_targets"},
    "size": {"image_size", "chip_size", "patch_size"},
}
SHAPES = {
    "frames_in": {"SimVP": ("in_shape", 0), "UNet": "num_steps", "PixelLogistic": "num_steps"},
    "frames_out": {"QuantileConvLSTM": "num_horizons"},
    "size": {"SimVP": ("in_shape", 2)},
}


@functools.cache
def merged(name: str) -> dict[str, Any]:
    """Return the merged config."""
    return dict(load(name).to_dict())


def changed(name: str, **flags: Any) -> dict[str, Any]:
    """Return the merged config with the flags applied as overrides."""
    cfg = copy.deepcopy(merged(name))
    overrides.apply(cfg, entries(cfg, Flags(**flags)), optional=())
    return cfg


@pytest.mark.parametrize("name", NAMES)
def test_data_moves_all_folders_and_the_files_in_them(name: str) -> None:
    """A run would train on one folder and validate or normalise with another."""
    if name.startswith(VALIDATED_ELSEWHERE):
        with pytest.warns(ChoiceWarning, match=r"val_dataloader.dataset.root=data/eurosat "):
            cfg = changed(name, data=Path("else/where"))
        roots = [part.settings["root"] for part in datasets(cfg)]
        assert roots == ["else/where", "data/eurosat", "data/eurosat"]
        return
    cfg = changed(name, data=Path("else/where"))
    for part in datasets(cfg):
        assert str(part.settings["root"]).startswith("else/where"), part.where
    statistics = (cfg["model"].get("data_preprocessor") or {}).get("statistics", "else/where/")
    assert statistics.startswith("else/where/")


@pytest.mark.parametrize("flag", ARGUMENTS)
@pytest.mark.parametrize("name", NAMES)
def test_lengths_and_sizes_reach_all_datasets_and_the_net_or_are_refused(
    name: str, flag: str
) -> None:
    """The net would be built for other frames than the data have."""
    family = name.partition("/")[0]
    fixed = family in (
        SINGLE_IMAGES if flag != "size" else ("taxibj", "own_data", "branching_motion")
    )
    value: Any = (48, 48) if flag == "size" else 2
    if fixed or (flag == "frames_out" and family in LABELS):
        option = f"--{flag.replace('_', '-')}"
        with pytest.raises(ConfigError, match=rf"^{option} does not fit \w+_dataloader.dataset"):
            changed(name, **{flag: value})
        return
    cfg = changed(name, **{flag: value})
    number = value[0] if flag == "size" else value
    for part in datasets(cfg):
        (argument,) = ARGUMENTS[flag] & part.settings.keys()
        one_step = flag == "frames_out" and part.settings[argument] == 1  # trains step by step
        assert one_step or part.settings[argument] == number, part.where
    net = cfg["model"]["net"]
    shape = SHAPES[flag].get(net["type"])
    if shape is not None:
        stored = net[shape] if isinstance(shape, str) else net[shape[0]][shape[1]]
        assert stored == number


@pytest.mark.parametrize("name", NAMES)
def test_epochs_and_rate_reach_the_schedule_or_are_refused(name: str) -> None:
    """A schedule would go on as for the former length, or replace the rate."""
    if "train_cfg" not in merged(name):
        for flag in ({"epochs": 2}, {"lr": 1e-2}):
            with pytest.raises(ConfigError, match="trains nothing"):
                changed(name, **flag)
        return
    cfg = changed(name, epochs=2, lr=1e-2)
    schedules = cfg.get("param_scheduler") or []
    peaks = [one["eta_max"] for one in schedules if one["type"] == "OneCycleLR"]
    assert (peaks or [cfg["optim_wrapper"]["optimizer"]["lr"]]) == [1e-2]
    assert cfg["train_cfg"]["max_epochs"] == 2
    for schedule in schedules:
        assert schedule.get("warmup", 0) < 2
        assert max(schedule.get("milestones", [0])) <= 2


@pytest.mark.parametrize("name", NAMES)
def test_the_batch_size_is_that_of_all_loaders(name: str) -> None:
    """A smaller batch that fits in training would not fit in validation."""
    cfg = changed(name, batch_size=3)
    sizes = [cfg[block]["batch_size"] for block in WITH_DATA if "batch_size" in cfg.get(block, {})]
    assert sizes
    assert set(sizes) == {3}
