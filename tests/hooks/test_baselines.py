"""Baselines of a test: chosen by the data, fitted, scored and recorded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import Tensor
from torch.utils.data import Dataset

from openstl_ext.engine.runner import build
from openstl_ext.errors import ConfigError
from openstl_ext.hooks.baselines import BaselinesHook, filled
from openstl_ext.hooks.default_baselines import NO_TIMES, default_baselines, seasons, times_of
from openstl_ext.registry import DATASETS
from openstl_ext.results.record import Record
from openstl_ext.structures import Channel, Metainfo
from tests.quick_timing import QUICK_TIMING

START = np.datetime64("2024-01-01T00", "h")


class Tide(Dataset):
    """A sum of a daily and a weekly cycle, sampled hourly, in windows of two and two hours."""

    def __init__(
        self,
        *,
        split: str,
        lead: tuple[float, str] = (1, "h"),
        has_times: bool = True,
        gap: bool = False,
        days: int = 20,
    ) -> None:
        self.metainfo = Metainfo(name="tide", channels=(Channel("level", "m"),), lead=lead)
        self.split, self.has_times, self.gap = split, has_times, gap
        self.first = 0 if split == "train" else 24 * 21
        self.length = 24 * days if split == "train" else 50

    def __len__(self) -> int:
        return self.length

    def sample_id(self, index: int) -> str:
        return f"{self.split}-{index}"

    def target_names(self, index: int) -> list[str]:
        hours = [START + self.first + index + step for step in (2, 3)]
        return [str(hour) for hour in hours] if self.has_times else []

    def __getitem__(self, index: int) -> dict[str, dict[str, Tensor]]:
        hour = self.first + index + torch.arange(4.0)
        level = torch.sin(2 * torch.pi * hour / 24) + torch.cos(2 * torch.pi * hour / 168)
        frames = level.view(4, 1, 1, 1).expand(4, 1, 8, 8).clone()
        item = {"inputs": {"frames": frames[:2]}, "data_samples": {"frames": frames[2:]}}
        if self.gap:
            valid = torch.ones(2, 1, 8, 8, dtype=torch.bool)
            valid[:, :, 0, 0] = False
            item["inputs"] |= {"valid": valid, "frames": torch.where(valid, frames[:2], torch.nan)}
            item["data_samples"]["valid"] = torch.ones_like(valid)
        return item


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Record]:
    """Test a net on the tide with the baselines of the hook, and return the record."""
    monkeypatch.setitem(DATASETS.module_dict, "Tide", Tide)
    monkeypatch.setattr(*QUICK_TIMING)

    def test(hook: dict[str, Any] | None = None, **changes: Any) -> Record:
        blocks = {k: v for k, v in changes.items() if k.startswith(("train_", "optim_", "seed"))}
        dataset = {k: v for k, v in changes.items() if k not in blocks}
        net = {"type": "Persistence"}
        data = {"type": "Tide", **dataset}
        loader = {"batch_size": 4, "dataset": {**data, "split": "train"}}
        cfg = Config(
            {
                "model": {"type": "DirectForecast", "net": net, "loss": {"type": "L2"}},
                "train_dataloader": loader,
                "train_cfg": {"max_epochs": 1},
                "optim_wrapper": {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 1.0}},
                "test_dataloader": {"batch_size": 4, "dataset": {**data, "split": "test"}},
                "test_evaluator": [{"type": "MeanMSE"}],
                "custom_hooks": [{"type": "BaselinesHook", **(hook or {})}, {"type": "ResultHook"}],
                "work_dir": str(tmp_path),
                "identity": "tide/persistence",
                "log_level": "ERROR",
                **blocks,
            }
        )
        build(cfg, train=False).test()
        found = tmp_path.glob("result*.json")
        return Record.read(max(found, key=lambda path: path.stat().st_mtime_ns))

    return test


def test_the_mean_of_the_season_is_exact_for_a_cycle(run):
    """Targets of another hour than those of the sample would be looked up."""
    record = run()
    assert list(record.baselines) == [
        "Persistence",
        "TrainingMean",
        "LinearExtrapolation",
        "SeasonalMean",
    ]
    assert record.baselines["SeasonalMean"]["mse"] == pytest.approx(0, abs=1e-9)
    assert record.baselines["Persistence"]["mse"] > 0.05
    assert record.baselines_left_out == {}


def test_the_fit_does_not_depend_on_the_numbers_drawn_before(run, monkeypatch):
    """The training mean of drawn samples would depend on the seed and the number of processes."""
    read = Tide.__getitem__

    def drawn(self: Tide, index: int) -> dict[str, dict[str, Tensor]]:
        item = read(self, index)
        if self.split == "train":
            item["data_samples"]["frames"] += torch.rand(()) + float(np.random.rand())
        return item

    monkeypatch.setattr(Tide, "__getitem__", drawn)
    hook = {"nets": [{"type": "TrainingMean"}]}
    assert run(hook, seed=1).baselines == run(hook, seed=2).baselines


def test_without_times_a_season_is_left_out_with_the_reason(run):
    """A table without the baseline would look as if nobody had thought of it."""
    record = run(has_times=False)
    assert set(record.baselines) == {"Persistence", "TrainingMean", "LinearExtrapolation"}
    assert record.baselines_left_out == {"SeasonalMean": NO_TIMES}


def test_without_training_data_nothing_is_fitted(run):
    """A test of converted weights alone would end with a traceback."""
    record = run(train_dataloader=None, train_cfg=None, optim_wrapper=None)
    assert set(record.baselines) == {"Persistence", "LinearExtrapolation"}
    assert set(record.baselines_left_out) == {"TrainingMean", "SeasonalMean"}


def test_a_named_baseline_is_left_out_too_where_there_are_no_times(run):
    """A test would end with a traceback after an hour, for a baseline."""
    nets = [{"type": "Persistence"}, {"type": "SeasonalMean", "cycles": ["day"]}]
    record = run({"nets": nets}, has_times=False)
    assert set(record.baselines) == {"Persistence"}
    assert record.baselines_left_out == {"SeasonalMean": NO_TIMES}


def test_a_baseline_that_has_not_seen_a_season_is_left_out(run):
    """The mean of other seasons would be reported as that of this one."""
    nets = [{"type": "SeasonalMean", "cycles": ["week", "day"]}]
    record = run({"nets": nets}, days=1)
    assert record.baselines == {}
    (reason,) = record.baselines_left_out.values()
    assert reason == "51 of 100 target frames are of a season without a training frame"


def test_a_missing_pixel_is_not_zero_for_a_baseline(run):
    """Persistence would forecast sea level at each gap, and lose against a net for that alone."""
    record = run({"nets": [{"type": "Persistence"}, {"type": "LinearExtrapolation"}]}, gap=True)
    hours = 24 * 21 + np.arange(50)[:, None] + np.arange(4)
    level = np.sin(2 * np.pi * hours / 24) + np.cos(2 * np.pi * hours / 168)
    persisted = (level[:, 1:2] - level[:, 2:]) ** 2
    mean = (level[:, :2].mean(axis=1, keepdims=True) - level[:, 2:]) ** 2
    expected = (63 * persisted + mean).mean() / 64
    assert record.baselines["Persistence"]["mse"] == pytest.approx(expected, rel=1e-5)


def test_missing_forecasts_are_filled_by_channel():
    """The mean of temperature and wind would be the forecast of both."""
    frames = torch.tensor([[[[1.0, torch.nan]], [[torch.nan, torch.nan]]]]).expand(2, 2, 1, 2)
    forecast = torch.tensor([[[[torch.nan, 5.0]], [[torch.nan, 6.0]]]])
    sample = filled({"forecast": forecast, "last": frames[-1]}, frames)
    assert sample["forecast"].tolist() == [[[[1.0, 5.0]], [[0.0, 6.0]]]]
    assert sample["last"].tolist() == [[[1.0, 0.0]], [[0.0, 0.0]]]


def test_two_nets_of_one_type_are_rejected():
    """The second would take the name and the row of the first."""
    nets = [{"type": "LinearExtrapolation"}, {"type": "LinearExtrapolation", "num_frames": 4}]
    with pytest.raises(ConfigError, match="LinearExtrapolation twice"):
        BaselinesHook(nets=nets)


def kind(unit: str, *channels: str) -> Metainfo:
    named = tuple(Channel(f"c{k}", name) for k, name in enumerate(channels or ("1",)))
    return Metainfo(name="x", channels=named, lead=(1, unit))


@pytest.mark.parametrize(
    ("metainfo", "frames", "nets", "left_out"),
    [
        (kind("frame"), (10, 1, 64, 64), ["LinearExtrapolation", "Translation"], []),
        (kind("ms"), (10, 1, 64, 64), ["LinearExtrapolation", "Translation"], []),
        (kind("frame"), (10, 1, 4, 64), ["LinearExtrapolation"], ["Translation"]),
        (kind("frame"), (1, 1, 64, 64), [], ["LinearExtrapolation", "Translation"]),
        (kind("min"), (4, 2, 32, 32), ["LinearExtrapolation"], ["SeasonalMean"]),
        (kind("h"), (1, 2, 32, 32), [], ["LinearExtrapolation", "SeasonalMean"]),
    ],
)
def test_the_data_decide(metainfo, frames, nets, left_out):
    """A video would be compared with its time of the day, and traffic with a shift."""
    choice = default_baselines(metainfo, frames, lambda: None)
    assert [net["type"] for net in choice.nets] == ["Persistence", "TrainingMean", *nets]
    assert list(choice.left_out) == left_out


def test_a_line_is_clipped_to_the_unit_interval_only():
    """Kelvins would be clipped to 1, or a brightness grow to 9."""
    for channels, bounds in ((("0-1", "0-1"), (0.0, 1.0)), (("0-1", "K"), None), (("K",), None)):
        nets = default_baselines(kind("frame", *channels), (4, 1, 8, 8), lambda: None).nets
        assert nets[2].get("data_range") == bounds


@pytest.mark.parametrize(
    ("days", "step_hours", "cycles"),
    [
        (800, 6, ["year", "day"]),
        (800, 24, ["year"]),
        (100, 1, ["week", "day"]),
        (100, 24, ["week"]),
        (100, 24 * 7, None),
        (3, 1, ["day"]),
        (1, 1, None),
    ],
)
def test_a_season_is_one_that_the_training_sees_twice(days, step_hours, cycles):
    """Each month of a single year would be compared with itself, a trend included."""
    times = np.arange(0, days * 24 + 1, step_hours) * 3600
    found = seasons(times)
    assert found == cycles if cycles else "without a season seen twice" in found


def test_times_are_those_of_the_names():
    """Years, or names of frames, would be read as hours."""
    hourly = times_of(Tide(split="train"), [0, 5])
    assert hourly is not None
    assert hourly.tolist() == [[1704074400, 1704078000], [1704092400, 1704096000]]
    assert times_of(Tide(split="train", has_times=False), [0]) is None
    assert times_of(object(), [0]) is None
    named = Tide(split="train")
    named.target_names = lambda _: ["frame a", "frame b"]  # type: ignore[method-assign]
    assert times_of(named, [0]) is None
