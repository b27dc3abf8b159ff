"""Calibration of intervals before a test, on samples of its own."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch.utils.data import Dataset

from openstl_ext.calibration import Calibration
from openstl_ext.engine.runner import build
from openstl_ext.errors import ConfigError
from openstl_ext.hooks.conformal_calibration import ConformalCalibrationHook
from openstl_ext.interfaces import CovariateModel, HorizonForecast
from openstl_ext.registry import DATASETS, MODELS
from openstl_ext.results.record import Record
from openstl_ext.structures import Channel, Metainfo
from tests.engine.resume_scenarios import log_of, run_scenarios
from tests.quick_timing import QUICK_TIMING

LEVELS = (0.025, 0.975)


class Noise(Dataset):
    """Noise around the last frame, stronger at each horizon, with the same law in every split."""

    metainfo = Metainfo(name="noise", channels=(Channel("x"),), synthetic=True)

    def __init__(self, *, split: str, length: int = 8) -> None:
        self.split, self.length = split, length

    def __len__(self) -> int:
        return self.length

    def sample_id(self, index: int) -> str:
        return f"{self.split}-{index:05d}"

    def __getitem__(self, index: int) -> dict[str, dict[str, Tensor]]:
        seed = 1000 * ("calibration", "test").index(self.split) + index
        draw = torch.Generator().manual_seed(seed)
        past = torch.randn(3, 1, 16, 16, generator=draw)
        strength = torch.tensor([1.0, 2.0, 3.0]).view(-1, 1, 1, 1)
        future = past[-1:] + strength * torch.randn(3, 1, 16, 16, generator=draw)
        valid = torch.rand(3, 1, 16, 16, generator=draw) > 0.3
        valid[2] = False  # a horizon beyond the record
        return {
            "inputs": {"frames": past, "valid": torch.ones_like(past, dtype=torch.bool)},
            "data_samples": {"frames": torch.where(valid, future, torch.nan), "valid": valid},
        }


class Narrow(nn.Module):
    """Repeat the last frame, with an interval that is far too narrow."""

    interface = CovariateModel

    def __init__(self, *, interval: bool = True) -> None:
        super().__init__()
        self.interval = interval

    def forward(
        self,
        frames: Tensor,
        *,
        dynamic: Tensor | None = None,
        static: Tensor | None = None,
        lonlat: Tensor | None = None,
    ) -> HorizonForecast:
        last = frames[:, -1].expand(-1, 3, -1, -1)
        ends = torch.stack([last - 0.1, last + 0.1], dim=1) if self.interval else None
        return HorizonForecast(last, ends)


def record_of(work_dir: Path, **net: Any) -> Record:
    """Test the net with narrow intervals and return its record."""
    calibration = {"split": "calibration", "length": 8}  # else as the test
    baselines = [{"type": "Persistence"}, {"type": "LinearExtrapolation"}]
    cfg = Config(
        {
            "model": {
                "type": "MultiHorizonRegression",
                "net": {"type": "Narrow", **net},
                "strategy": "direct",
                "terms": {"mse": {"loss": {"type": "L2"}}},
                "quantile_levels": LEVELS if net.get("interval", True) else (),
                "data_preprocessor": {"type": "SequencePreprocessor", "mean": 1.0, "std": 2.0},
            },
            "test_dataloader": {
                "batch_size": 3,
                "dataset": {"type": "Noise", "split": "test", "length": 7},
            },
            "test_evaluator": [
                *({"type": "MeanMAE"}, {"type": "ChangeR2"}, {"type": "ValidPixels"}),
                *({"type": "IntervalCoverage"}, {"type": "IntervalWidth"}),
            ],
            "custom_hooks": [
                {"type": "BaselinesHook", "nets": baselines},
                {"type": "ConformalCalibrationHook", "dataset": calibration},
                {"type": "ResultHook"},
            ],
            "work_dir": str(work_dir),
            "identity": "noise/narrow",
            "seed": 4,
            "log_level": "ERROR",
        }
    )
    build(cfg, train=False).test()
    return Record.read(work_dir / "result.json")


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder while the classes of the configs are registered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DATASETS.module_dict, "Noise", Noise)
        patch.setitem(MODELS.module_dict, "Narrow", Narrow)
        patch.setattr(*QUICK_TIMING)
        yield tmp_path_factory.mktemp("noise")


@pytest.fixture(scope="module")
def record(work_dir: Path) -> Record:
    """Return the record of one test."""
    return record_of(work_dir)


def test_the_record_has_the_coverage_before_and_after(record: Record, work_dir: Path) -> None:
    """The effect of the calibration would not be visible."""
    metrics, calibrated = record.metrics, record.postprocessed["conformal"]
    assert metrics["coverage@1"] < 0.2
    assert calibrated.keys() == metrics.keys()
    assert calibrated["mae"] == metrics["mae"]
    for lead in ("@1", "@2"):
        assert calibrated[f"coverage{lead}"] == pytest.approx(0.95, abs=0.02)
    found = Calibration.read(work_dir / "calibration.json")
    # the target is normal around the middle: 1.96 deviations, less the half width in data units
    assert found.margin[0] == pytest.approx(1.96 - 0.2, rel=0.08)
    assert found.margin[1] == pytest.approx(2 * 1.96 - 0.2, rel=0.08)
    width = calibrated["width@1"] - metrics["width@1"]
    assert width == pytest.approx(2 * found.margin[0], rel=1e-4)


def test_a_horizon_without_targets_has_neither_margin_nor_score(
    record: Record, work_dir: Path
) -> None:
    """A margin of 0 would look like a calibrated one."""
    metrics, calibrated = record.metrics, record.postprocessed["conformal"]
    found = Calibration.read(work_dir / "calibration.json")
    assert found.margin[2] is None
    assert found.num_valid[2] == 0
    assert calibrated["coverage@3"] is None
    assert metrics["mae@3"] is None
    assert metrics["valid_pixels@3"] == 0
    assert calibrated["coverage"] is not None  # pixels without a target do not count


def test_baselines_have_the_same_pixels_and_no_interval(record: Record) -> None:
    """A baseline without intervals would end the test, or be scored on other pixels."""
    assert set(record.baselines) == {"Persistence", "LinearExtrapolation"}
    for scores in record.baselines.values():
        assert scores["coverage"] is None
        assert scores["mae@3"] is None
        assert scores["valid_pixels"] == record.metrics["valid_pixels"]
    assert record.baselines["Persistence"]["mae"] == pytest.approx(record.metrics["mae"], rel=1e-6)
    assert record.baselines["LinearExtrapolation"]["mae"] > record.metrics["mae"]


def test_a_net_without_intervals_is_rejected(work_dir: Path) -> None:
    """The user would get a traceback after hours of training."""
    with pytest.raises(ConfigError, match="predicts no intervals"):
        record_of(work_dir, interval=False)


def test_methods_without_quantiles_are_rejected_before_the_training() -> None:
    """The mistake would show after the training."""

    class Run:
        model = nn.Linear(1, 1)

    with pytest.raises(ConfigError, match="predicts no intervals"):
        ConformalCalibrationHook(dataset={}).before_run(Run())


def test_margins_do_not_depend_on_the_number_of_ranks(tmp_path: Path) -> None:
    """Maps would depend on the number of GPUs."""
    net = {
        **{"type": "QuantileConvLSTM", "hidden_channels": 4, "num_layers": 1, "num_horizons": 2},
        **{"dynamic_channels": 0, "static_channels": 0, "location_channels": 0},
    }
    waves = {"type": "ToyWaves", "num_samples": 5, "disturbed": False}
    options = {
        "model": {
            "_delete_": True,
            "type": "MultiHorizonRegression",
            "net": net,
            "strategy": "direct",
            "terms": {"mse": {"loss": {"type": "L2"}}},
            "quantile_levels": LEVELS,
        },
        "test_evaluator": [{"type": "IntervalCoverage"}, {"type": "ChangeR2"}],
        "custom_hooks": [{"type": "ConformalCalibrationHook", "dataset": waves}],
    }
    runs = {
        tmp_path / f"on_{ranks}": [{"options": options, "ranks": ranks, "test": True}]
        for ranks in (1, 2)
    }
    codes = run_scenarios(runs)
    alone, shared = (tmp_path / "on_1", tmp_path / "on_2")
    assert codes == {alone: [[0]], shared: [[0, 0]]}, log_of(shared)
    margins = [Calibration.read(folder / "calibration.json") for folder in (alone, shared)]
    assert margins[0] == margins[1]
    assert all(math.isfinite(value) for value in margins[0].margins)
    one = json.loads((alone / "scores_1.json").read_text())
    assert one == json.loads((shared / "scores_2.json").read_text())
