"""Predictions on disk: complete, in data units, written by the rank that made them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import DefaultSampler
from mmengine.hooks import Hook
from torch.utils.data import BatchSampler, Dataset

from openstl_ext.atomic_io import aside
from openstl_ext.engine.runner import build
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.hooks import predictions
from openstl_ext.hooks.predictions import PredictionsHook, sample_name
from openstl_ext.registry import DATASETS, HOOKS
from openstl_ext.structures import Channel, Metainfo
from openstl_ext.visualization.saved import SavedFolder


class Gappy(Dataset):
    """Five sequences with a gap in each target; the value is a number of the frame."""

    metainfo = Metainfo(
        name="gappy", channels=(Channel("a", "K"), Channel("b", "K")), lead=(30, "min")
    )

    def __init__(self, *, num_channels: int = 1, names: str = "s{}") -> None:
        self.num_channels, self.names = num_channels, names
        channels = type(self).metainfo.channels[:num_channels]
        self.metainfo = replace(type(self).metainfo, channels=channels)

    def __len__(self) -> int:
        return 5

    def sample_id(self, index: int) -> str:
        return self.names.format(index)

    def __getitem__(self, index: int) -> dict[str, dict[str, torch.Tensor]]:
        time = torch.arange(5.0).view(-1, 1, 1, 1)
        frames = (10 * index + time).expand(-1, self.num_channels, 3, 4).clone()
        valid = torch.ones_like(frames, dtype=torch.bool)
        valid[3, :, 0, 0] = valid[0, :, 1, 1] = False
        return {
            "inputs": {"frames": frames[:3], "valid": valid[:3]},
            "data_samples": {"frames": frames[3:], "valid": valid[3:]},
        }


class Labelled(Dataset):
    """Three maps of classes with a strip without labels; frame t is label + t."""

    metainfo = Metainfo(
        name="labelled",
        channels=(Channel("red"),),
        classes=("water", "site"),
        years=(2010, 2011, 2013),
    )

    def __len__(self) -> int:
        return 3

    def sample_id(self, index: int) -> str:
        return f"{index:05d}"

    def __getitem__(self, index: int) -> dict[str, dict[str, torch.Tensor]]:
        labels = torch.zeros(4, 5, dtype=torch.int64)
        labels[:, index:] = 1
        known = torch.ones(4, 5, dtype=torch.bool)
        known[0] = False
        frames = labels + torch.arange(3.0).view(-1, 1, 1, 1)
        valid = torch.ones_like(frames, dtype=torch.bool)
        valid[1, 0, 2, 2] = False
        return {
            "inputs": {"frames": frames, "valid": valid},
            "data_samples": {"labels": torch.where(known, labels, 255), "valid": known},
        }


SAME_TEST = SimpleNamespace(of=lambda _: SimpleNamespace(subject=("weights", "test")))


class Uncertain(Hook):
    """Add quantiles and members to the forecasts, as a method would: the forecast plus k."""

    priority = "VERY_HIGH"

    def after_test_iter(self, runner: Any, batch_idx: int, data_batch=None, outputs=None) -> None:
        for sample in outputs:
            forecast = sample["forecast"]
            sample["quantiles"] = torch.stack([forecast + k for k in (-1, 1)])
            sample["quantile_levels"] = torch.tensor([0.1, 0.9])
            sample["ensemble"] = torch.stack([forecast + k for k in range(3)])


class Interrupt(Hook):
    """End the test with an error after a batch."""

    priority = "LOWEST"

    def after_test_iter(self, runner: Any, batch_idx: int, **_: Any) -> None:
        if batch_idx == 1:
            raise KeyboardInterrupt


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Test a model that repeats the last frame; return the work directory."""
    # not the decorator: contract tests cover all registered classes
    monkeypatch.setitem(DATASETS.module_dict, "Gappy", Gappy)
    for hook in (Interrupt, Uncertain):
        monkeypatch.setitem(HOOKS.module_dict, hook.__name__, hook)

    def test(*hooks: str, members: bool = True, **dataset: Any) -> Path:
        saving = {"type": "PredictionsHook", "members": members}
        cfg = Config(
            {
                "model": {
                    "type": "DirectForecast",
                    "net": {"type": "Persistence"},
                    "loss": {"type": "L2"},
                    "data_preprocessor": {"type": "SequencePreprocessor", "mean": 5.0, "std": 3.0},
                },
                "test_dataloader": {"batch_size": 2, "dataset": {"type": "Gappy", **dataset}},
                "test_evaluator": [{"type": "MeanMSE"}],
                "custom_hooks": [saving, *({"type": name} for name in hooks)],
                "work_dir": str(tmp_path),
                "identity": "gappy/persistence",
                "log_level": "ERROR",
            }
        )
        build(cfg, train=False).test()
        return tmp_path

    return test


def test_frames_are_saved_in_data_units_with_gaps(run):
    """A reader of the files would get normalised values, or values without data."""
    saved = run() / "saved"
    names = {kind: sorted(p.name for p in (saved / kind).iterdir()) for kind in predictions.KINDS}
    assert set(map(tuple, names.values())) == {("s0", "s1", "s2", "s3", "s4")}
    for index in range(5):
        for t in range(2):
            target = np.load(saved / f"trues/s{index}/{t}.npy")
            assert target.shape == (3, 4)
            assert target.dtype == np.float32
            assert target[1, 2] == 10 * index + 3 + t
            assert np.isnan(target).sum() == (t == 0) == np.isnan(target[0, 0])
            forecast = np.load(saved / f"preds/s{index}/{t}.npy")
            np.testing.assert_allclose(forecast, 10 * index + 2, rtol=1e-6)
        past = np.stack([np.load(saved / f"inputs/s{index}/{t}.npy") for t in range(3)])
        assert np.isnan(past).sum() == 1
        np.testing.assert_array_equal(past[:, 0, 0], 10 * index + np.arange(3))


def test_many_channels_keep_their_axis(run):
    """Frames of several channels could not be saved."""
    assert np.load(run(num_channels=2) / "saved/preds/s0/0.npy").shape == (2, 3, 4)


def test_quantiles_and_members_are_saved_step_by_step(run):
    """Pictures of uncertain forecasts would need the test again."""
    folder = SavedFolder(run("Uncertain", num_channels=2))
    assert folder.quantile_levels == [0.1, 0.9]
    assert folder.has_members
    forecast = folder.load("s3").forecast
    for kind, steps in (("quantiles", (-1, 1)), ("ensemble", (0, 1, 2))):
        found = folder.load_uncertain("s3", kind)
        assert found.shape == (len(steps), 2, 2, 3, 4)
        for number, step in enumerate(steps):
            np.testing.assert_allclose(found[number], forecast + step, rtol=1e-6)


def test_members_can_be_left_out(run):
    """They take most of the space."""
    folder = SavedFolder(run("Uncertain", members=False))
    assert folder.quantile_levels == [0.1, 0.9]
    assert not folder.has_members
    assert not (folder.path / "ensemble").exists()


def test_a_forecast_without_quantiles_saves_none(run):
    """A picture would show the quantiles of an earlier test."""
    folder = SavedFolder(run())
    assert folder.quantile_levels == []
    assert not folder.has_members
    assert "quantile_levels" not in folder.about


def test_scores_are_saved_beside_the_frames_without_pickle(run):
    """The file could run code when it is opened."""
    saved = run() / "saved"
    scores = np.load(saved / "metrics.npy", allow_pickle=False)
    assert json.loads((saved / "metrics.json").read_text()) == {
        name: float(scores[name]) for name in scores.dtype.names
    }
    assert {"mse", "mse@1", "mse@2"} == set(scores.dtype.names)
    assert float(scores["mse@1"]) == pytest.approx(1)
    about = json.loads((saved / "about.json").read_text())
    assert about["config"] == "gappy/persistence"
    assert (about["unit"], about["lead"], about["channels"]) == ("K", [30, "min"], ["a"])


def test_a_set_of_another_test_is_kept(run, tmp_path: Path):
    """The forecasts of one checkpoint would be replaced by those of another without a word."""
    first = json.loads((run() / "saved/about.json").read_text())
    run()
    assert [path.name for path in tmp_path.glob("saved*")] == ["saved"]
    run(num_channels=2)
    (second,) = tmp_path.glob("saved_*")
    assert json.loads((tmp_path / "saved/about.json").read_text()) == first
    about = json.loads((second / "about.json").read_text())
    assert second.name == f"saved_{about['checkpoint']}_{about['test']}"
    assert np.load(second / "preds/s0/0.npy").shape == (2, 3, 4)


def test_an_interrupted_run_leaves_no_incomplete_set(run, tmp_path: Path):
    """An incomplete set of forecasts would look like a complete one."""
    with pytest.raises(KeyboardInterrupt):
        run("Interrupt")
    assert not (tmp_path / "saved").exists()
    assert len(list((tmp_path / "saved.part/preds").iterdir())) == 4
    assert run() == tmp_path
    assert not (tmp_path / "saved.part").exists()
    assert len(list((tmp_path / "saved/preds").iterdir())) == 5


def test_the_old_set_stays_until_the_new_one_is_complete(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A second test that is killed would delete the frames of the first."""
    monkeypatch.setattr(predictions, "Tested", SAME_TEST)
    run(names="old{}")
    with pytest.raises(KeyboardInterrupt):
        run("Interrupt")
    assert (tmp_path / "saved/preds/old4/1.npy").is_file()
    assert (tmp_path / "saved/metrics.npy").is_file()
    (tmp_path / "saved").rename(aside(tmp_path / "saved"))  # killed between the two renames
    with pytest.raises(KeyboardInterrupt):
        run("Interrupt")
    assert (tmp_path / "saved/preds/old4/1.npy").is_file()
    run()
    assert sorted(p.name for p in (tmp_path / "saved/preds").iterdir())[0] == "s0"
    assert not (tmp_path / "saved.old").exists()


@pytest.fixture
def labelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the saved folder of a segmentation."""
    monkeypatch.setitem(DATASETS.module_dict, "Labelled", Labelled)
    cfg = Config(
        {
            "model": {
                "type": "Segmentation",
                "net": {"type": "PixelLogistic", "in_channels": 1, "num_steps": 3},
                "loss": {"type": "BCEDice"},
            },
            "test_dataloader": {"batch_size": 2, "dataset": {"type": "Labelled"}},
            "test_evaluator": [{"type": "Dice", "classes": ["water", "site"]}],
            "custom_hooks": [{"type": "PredictionsHook"}],
            "work_dir": str(tmp_path),
            "identity": "labelled/logistic",
            "log_level": "ERROR",
        }
    )
    runner = build(cfg, train=False)
    with torch.no_grad():  # the frames of a site sum up to 6; where one is missing, to 4
        runner.model.net.read.weight.fill_(1.0)
        runner.model.net.read.bias.fill_(-5.0)
    runner.test()
    return tmp_path / "saved"


def test_labels_are_saved_with_their_probability_and_unknown_pixels(labelled: Path):
    """A figure would draw unknown pixels as background, or have no probability."""
    for index in range(3):
        target, answer = (np.load(labelled / f"{k}/{index:05d}/0.npy") for k in ("trues", "preds"))
        assert target.dtype == answer.dtype == np.int16
        assert (target[0] == predictions.UNKNOWN).all()
        np.testing.assert_array_equal(target[1:] == 1, np.arange(5)[None] >= np.full((3, 1), index))
        assert set(np.unique(answer)) <= {0, 1}
        folder = labelled / predictions.PROBABILITIES / f"{index:05d}"
        probability = np.stack([np.load(folder / f"{k}.npy") for k in range(2)])
        assert probability.shape == (2, 4, 5)
        np.testing.assert_allclose(probability.sum(axis=0), 1, rtol=1e-6)
        np.testing.assert_array_equal(probability[1] >= 0.5, answer == 1)
        past = np.stack([np.load(labelled / f"inputs/{index:05d}/{t}.npy") for t in range(3)])
        assert past.shape == (3, 4, 5)
        assert np.argwhere(np.isnan(past)).tolist() == [[1, 2, 2]]


def test_the_saved_labels_give_the_score_of_the_run(labelled: Path):
    """Figures and table would be made from different labels."""
    target, answer = (
        np.stack([np.load(labelled / f"{kind}/{i:05d}/0.npy") for i in range(3)])
        for kind in ("trues", "preds")
    )
    hit, predicted, observed = (
        int((known & (target != predictions.UNKNOWN)).sum())
        for known in ((target == 1) & (answer == 1), answer == 1, target == 1)
    )
    scores = json.loads((labelled / "metrics.json").read_text())
    assert scores["dice[site]"] == pytest.approx(2 * hit / (predicted + observed))
    assert 0 < scores["dice[site]"] < 1


def test_a_set_of_labels_has_its_kind(labelled: Path):
    """A figure would draw class 1 as the value 1."""
    about = json.loads((labelled / "about.json").read_text())
    assert (about["kind"], about["config"]) == ("labels", "labelled/logistic")
    assert (about["classes"], about["years"]) == (["water", "site"], [2010, 2011, 2013])


def test_other_predictions_are_rejected():
    """Files that nothing can read would be written."""
    sample = {"labels": torch.zeros(2, 3, 4), "target": torch.zeros(2, 3, 4)}
    with pytest.raises(ConfigError, match="frames and labels of pixels or of samples"):
        predictions.answer_arrays(sample)


@pytest.mark.parametrize("name", ["../s{}", "a/{}", "a\\{}", ".{}", "", "c:{}"])
def test_ids_that_are_not_folder_names_are_rejected(name: str):
    """An id from a data file could choose any place of the disk."""
    with pytest.raises(DataError, match="not a folder name"):
        sample_name(Gappy(names=name), 3)


def test_two_samples_with_one_id_are_an_error(run):
    """One forecast would overwrite the other."""
    with pytest.raises(DataError, match="two test samples have the id 'same'"):
        run(names="same")


def test_ranks_write_their_own_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Forecasts would be saved under the ids of other samples."""
    monkeypatch.setattr(predictions, "Tested", SAME_TEST)
    dataset, runs = Gappy(), []
    for rank in range(2):
        with monkeypatch.context() as patch:
            patch.setattr("mmengine.dataset.sampler.get_dist_info", lambda rank=rank: (rank, 2))
            sampler = DefaultSampler(dataset, shuffle=False, round_up=False)
        loader = SimpleNamespace(dataset=dataset, batch_sampler=BatchSampler(sampler, 2, False))
        cfg, logger = Config({}), SimpleNamespace(info=lambda *_, **__: None)
        runner = SimpleNamespace(
            test_dataloader=loader, work_dir=str(tmp_path), cfg=cfg, seed=0, logger=logger
        )
        runs.append((PredictionsHook(), runner, rank))

    def on_each(step: Callable[[PredictionsHook, Any], None], order: int = 1) -> None:
        for hook, runner, rank in runs[::order]:
            monkeypatch.setattr(predictions, "is_main_process", lambda rank=rank: rank == 0)
            step(hook, runner)

    def forecast(hook: PredictionsHook, runner: Any) -> None:
        for number, batch in enumerate(list(runner.test_dataloader.batch_sampler)):
            items = [dataset[index] for index in batch]
            frames = torch.stack([item["inputs"]["frames"] for item in items])
            outputs = [
                {"forecast": torch.full((2, 1, 3, 4), float(i)), "target": torch.zeros(2, 1, 3, 4)}
                for i in batch
            ]
            hook.after_test_iter(runner, number, {"inputs": {"frames": frames}}, outputs)

    on_each(lambda hook, runner: hook.before_test_epoch(runner))
    on_each(forecast)
    on_each(lambda hook, runner: hook.after_test_epoch(runner, {"mse": 0.0}), order=-1)
    found = [np.load(tmp_path / f"saved/preds/s{i}/0.npy")[0, 0] for i in range(5)]
    assert found == [0, 1, 2, 3, 4]


def test_a_missing_sample_is_an_error(tmp_path: Path):
    """An incomplete set would be used as a complete one."""
    loader = SimpleNamespace(dataset=Gappy(), batch_sampler=[[0, 1]])
    runner = SimpleNamespace(test_dataloader=loader, work_dir=str(tmp_path), cfg={}, seed=0)
    hook = PredictionsHook()
    hook.before_test_epoch(runner)
    with pytest.raises(DataError, match="0 predictions were saved, but there are 5"):
        hook.after_test_epoch(runner, {})
    assert not (tmp_path / "saved").exists()
