"""The figure of forecasts at the end of a run; the run is not changed by it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from tensorboardX import proto
from torch.utils.data import Dataset

from openstl_ext.calibration import Calibration
from openstl_ext.datasets.human_modification.dataset import HumanModification
from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import build
from openstl_ext.errors import ConfigError
from openstl_ext.hooks import forecast_figure
from openstl_ext.hooks.forecast_figure import ForecastFigureHook, forecasts, horizon_names, spread
from openstl_ext.postprocessing import ConformalPostprocessor
from openstl_ext.structures import Channel, Metainfo
from openstl_ext.visualization.panel_sample import PanelSample
from tests.e2e.test_resume import assert_same, without_time
from tests.engine import toy, toy_sites
from tests.engine.resume_scenarios import log_of, run_scenarios
from tests.toys import toy_method

HOOK = {"type": "ForecastFigureHook", "num_samples": 3}
QUIET = {"log_level": "ERROR", "custom_hooks": [HOOK]}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[PanelSample], dict[str, Any]]]:
    """Record samples and titles of every figure."""
    original, seen = forecast_figure.draw_panel, []

    def draw(samples: list[PanelSample], about: dict[str, Any], **style: Any) -> Any:
        seen.append((samples, about))
        return original(samples, about, **style)

    monkeypatch.setattr(forecast_figure, "draw_panel", draw)
    return seen


def test_after_training_the_best_checkpoint_is_drawn(tmp_path: Path, drawn: list) -> None:
    """The figure would show other weights than the table."""
    # so fast after its first epoch that the last one is not the best
    faster = {"type": "MultiStepLR", "milestones": [1], "gamma": 1e4, "by_epoch": True}
    cfg = toy.config(tmp_path, **QUIET, param_scheduler=[faster])
    run = build(cfg)
    run.train()
    best = checkpoint.best(tmp_path)
    saved = checkpoint.read(best)
    assert saved["meta"]["iteration"] < run.iter
    ((samples, about),) = drawn
    assert about["subtitle"] == f"val: 3 of 7 samples; weights of {best.name}"
    run.model.load_state_dict(saved["state_dict"])
    loader = run.val_dataloader
    for sample, index in zip(samples, [1, 3, 5], strict=True):
        with torch.no_grad():
            (tested,) = run.model.eval().test_step(loader.collate_fn([loader.dataset[index]]))
        np.testing.assert_array_equal(sample.forecast, tested["forecast"][:, 0])
        np.testing.assert_array_equal(sample.target, tested["target"][:, 0])
    picture = imread(tmp_path / "panel.png")
    assert picture.shape[0] > 300
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.slow
def test_drawing_does_not_change_a_run(tmp_path: Path) -> None:
    """Weights, test or resume of a run would depend on its figure."""
    scores = {}
    for name, hooks in (("plain", []), ("drawn", [HOOK])):
        options = {**QUIET, "custom_hooks": hooks, "train_cfg.max_epochs": 2}
        run = build(toy.config(tmp_path / name, **options))
        before = {key: value.clone() for key, value in run.train().state_dict().items()}
        newest = checkpoint.newest(tmp_path / name, pytest.fail)[1]
        assert_same(before, newest["state_dict"], name)  # not the best, which was drawn
        scores[name] = run.test()
    assert scores["plain"] == scores["drawn"]
    plain, other = (without_time(checkpoint.newest(tmp_path / n, pytest.fail)[1]) for n in scores)
    for state in (plain, other):
        del state["meta"]["config"]  # the hook is in one of them
    assert_same(plain, other, "drawn")


def test_a_test_draws_the_tested_weights_and_the_trackers_get_the_figure(
    tmp_path: Path, drawn: list
) -> None:
    """A separate test would have no figure, or overwrite the curves of the training."""
    build(toy.config(tmp_path, **{**QUIET, "custom_hooks": [], "train_cfg.max_epochs": 1})).train()
    assert not (tmp_path / "panel.png").exists()
    cfg = toy.config(tmp_path, **QUIET)
    cfg.load_from = str(checkpoint.best(tmp_path))
    build(cfg, train=False).test()
    ((samples, about),) = drawn
    assert about["subtitle"] == "test: 3 of 7 samples; weights of best_epoch_1.pth"
    assert [sample.name for sample in samples] == ["test-00001", "test-00003", "test-00005"]
    assert samples[0].horizons == ("t+1", "t+2")
    assert (tmp_path / "panel.png").read_bytes().startswith(b"\x89PNG")
    tags, starts = set(), []
    for path in (tmp_path / "tensorboard").iterdir():
        data = path.read_bytes()
        while data:
            size = int.from_bytes(data[:8], "little")
            event = proto.event_pb2.Event.FromString(data[12 : 12 + size])
            tags |= {(event.step, value.tag) for value in event.summary.value}
            starts += [event.step] if event.session_log.status else []
            data = data[16 + size :]
    assert {(8, "test/panel"), (8, "val/mse@2")} <= tags
    assert starts == [0]


@pytest.mark.slow
def test_two_ranks_end_and_one_draws(tmp_path: Path) -> None:
    """A run on several GPUs would hang at its end, or write the figure twice."""
    work_dir = tmp_path / "run"
    options = {"custom_hooks": [HOOK], "train_cfg.max_epochs": 1}
    stages = [{"options": options, "ranks": 2}, {"options": options, "ranks": 2, "test": True}]
    assert run_scenarios({work_dir: stages})[work_dir] == [[0, 0], [0, 0]], log_of(work_dir)
    assert (work_dir / "panel.png").is_file()
    assert log_of(work_dir).count("drew 3 forecasts in") == 2  # one per stage


@pytest.mark.parametrize("broken", ["draw_panel", "atomic_write"])
def test_a_figure_that_fails_does_not_end_the_run(
    broken: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full disk or an odd sample would end days of training with an error."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(forecast_figure, broken, fail)
    run = build(toy.config(tmp_path, **{**QUIET, "train_cfg.max_epochs": 1}))
    warnings: list[str] = []
    monkeypatch.setattr(run.logger, "warning", warnings.append)
    run.train()
    assert warnings == ["the figure was not drawn: OSError: No space left on device"]
    assert not list(tmp_path.glob("panel*"))


def test_a_method_without_frames_is_rejected_before_the_training(tmp_path: Path) -> None:
    """The mistake would show after the training."""
    cfg = toy.config(tmp_path, **toy_sites.options(**QUIET))
    with pytest.raises(ConfigError, match="Segmentation forecasts no frames to draw; remove"):
        build(cfg).train()
    with pytest.raises(ConfigError, match="at least 1"):
        ForecastFigureHook(num_samples=0)


@pytest.mark.parametrize(
    ("length", "number", "indices"),
    [(100, 4, [12, 37, 62, 87]), (7, 7, list(range(7))), (3, 7, [0, 1, 2]), (1, 7, [0])],
)
def test_samples_are_spread_over_the_split(length: int, number: int, indices: list[int]) -> None:
    """All samples would be overlapping chips of one corner of the raster."""
    assert spread(length, number) == indices


class Chips(Dataset):
    """Samples of the toy batch of a method; reads are counted."""

    def __init__(self, method: Any, unit: str = "1", **metainfo: Any) -> None:
        self.batch, self.read = method.toy_batch(9), list[int]()
        self.metainfo = Metainfo(name="chips", channels=(Channel("x", unit),), **metainfo)

    def __len__(self) -> int:
        return 9

    def sample_id(self, index: int) -> str:
        return f"chip_{index}"

    def target_names(self, index: int) -> list[str]:
        del index
        return []

    def __getitem__(self, index: int) -> dict[str, dict[str, torch.Tensor]]:
        self.read.append(index)
        return {s: {k: v[index] for k, v in f.items()} for s, f in self.batch.items()}


@pytest.fixture
def quantiles() -> Any:
    torch.manual_seed(0)
    return toy_method("MultiHorizonRegression", "QuantileConvLSTM")


def test_intervals_and_gaps_are_drawn(quantiles: Any) -> None:
    """A forecast with intervals would look like one without, or gaps like targets."""
    chips = Chips(quantiles)
    before = list(forecasts(quantiles, chips, [0, 4], 0, seed=0))
    assert chips.read == [0, 4]
    assert [sample.name for sample in before] == ["chip_0", "chip_4"]
    valid = chips.batch["data_samples"]["valid"][4, :, 0].numpy()
    for field in (before[1].target, before[1].forecast, before[1].interval):
        np.testing.assert_array_equal(np.isnan(field), ~valid)
    assert before[1].num_valid == tuple(valid.sum(axis=(1, 2)))
    assert before[1].num_valid[-1] == 0
    levels = quantiles.quantile_levels
    margins = Calibration(
        coverage=0.9, levels=levels, margin=(0.5,) * len(valid), num_valid=(9,) * len(valid)
    )
    changes = [ConformalPostprocessor(margins, levels)]
    (after,) = forecasts(quantiles, chips, [4], 0, seed=0, changes=changes)
    np.testing.assert_allclose(after.interval, before[1].interval + 1, rtol=1e-4)


@pytest.mark.parametrize(
    ("metainfo", "names"),
    [
        ({}, ["t+1", "t+2"]),
        ({"lead": (30, "min")}, ["+30 min", "+60 min"]),
        ({"lead": (5, "yr")}, ["+5 yr", "+10 yr"]),
        ({"lead": (5, "yr"), "years": (1990, 1995, 2000)}, ["2005", "2010"]),
    ],
)
def test_horizons_are_named_by_year_or_lead_time(
    metainfo: dict, names: list[str], quantiles: Any
) -> None:
    """A reader could not see which year a row shows."""
    chips: Any = Chips(quantiles, **metainfo)
    assert horizon_names(chips, 0, 2) == names
    chips.target_names = lambda index: [str(2000 + 5 * index), str(2005 + 5 * index)]
    assert horizon_names(chips, 3, 2) == ["2015", "2020"]


@pytest.mark.slow
def test_maps_of_human_modification_are_named_by_their_year(tmp_path: Path) -> None:
    """The row of 2020 could be that of 2010, because each sample begins in its own year."""
    HumanModification.make_toy(tmp_path)
    toy_chips: dict = {"chip_size": 16, "values": "0-10000"}
    chips = HumanModification(root=str(tmp_path), split="test", **toy_chips)
    for index in (0, len(chips) - 1):
        end = int(chips.sample_id(index)[-4:])
        years = [str(end + 5 * lead) for lead in (1, 2, 3, 4)]
        assert horizon_names(chips, index, 4) == years
    drawn = HumanModification(root=str(tmp_path), split="test", mode="random", **toy_chips)
    assert horizon_names(drawn, 0, 4) == ["+5 yr", "+10 yr", "+15 yr", "+20 yr"]


def test_a_channel_is_selected_by_label_or_position(quantiles: Any) -> None:
    """Inflow would be drawn in place of outflow."""
    chips = Chips(quantiles)
    find: Callable[..., int] = forecast_figure.channel_of
    assert find("x", chips, 1) == find(0, chips, 1) == 0
    for unknown in ("y", 1, -1):
        with pytest.raises(ConfigError, match="does not exist; the 1 channels"):
            find(unknown, chips, 1)


def test_every_forecast_method_can_be_drawn() -> None:
    """The hook would work for one method only."""
    for name, net in (("DirectForecast", "SimVP"), ("RecurrentForecast", "ConvLSTM")):
        method = toy_method(name, net)
        (found,) = forecasts(method, Chips(method), [2], "x", seed=0)
        assert found.interval is None
        assert np.isfinite(found.forecast).all()
