"""What decides a training and its test."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch.utils.data import Dataset

from openstl_ext.engine import plan
from openstl_ext.engine.defaults import complete
from openstl_ext.engine.plan import data_facts, differences, shown, training_facts
from openstl_ext.registry import HOOKS
from tests.engine import toy
from tests.faults.resume_edits import edits

BASE = {"train_cfg.max_epochs": 2}


def facts(**options: Any) -> plan.Facts:
    cfg = complete(toy.config("anywhere", **{**BASE, **options}))
    return {"seed": cfg.seed, **training_facts(cfg)}


@pytest.mark.parametrize(("edit", "must_refuse"), list(edits()))
def test_an_edit_is_a_difference_if_it_changes_the_training(
    edit: dict[str, Any], must_refuse: bool
) -> None:
    """A resumed run would become another run, or could not be logged in another way."""
    found = list(differences(facts(), facts(**edit)))
    if edit.keys() == {"train_cfg.max_epochs"}:  # engine.longer_training decides
        assert [key for key, *_ in found] == ["train_cfg.max_epochs"]
        return
    assert bool(found) is must_refuse, shown(found)


@pytest.mark.parametrize(
    "waiting",
    [
        {"param_scheduler": [{"type": "ReduceOnPlateauLR", "monitor": "mse"}]},
        {"custom_hooks": [{"type": "EarlyStoppingHook", "monitor": "mse", "patience": 2}]},
    ],
)
@pytest.mark.parametrize(
    "edit",
    [
        {"val_dataloader.dataset.num_samples": 5},
        {"val_evaluator": [{"type": "MeanMSE"}, {"type": "MeanMAE"}]},
        {"train_cfg.val_interval": 2},
    ],
)
def test_validation_counts_where_the_training_waits_for_its_scores(
    waiting: dict[str, Any], edit: dict[str, Any]
) -> None:
    """The rate would fall, or the training end, by other scores than before."""
    assert list(differences(facts(**waiting), facts(**waiting, **edit)))


FLOW = {"model": {"_delete_": True, "type": "FlowForecast", "net": {"type": "ToyNet"}}}


@pytest.mark.parametrize(
    "edit", [{"model.num_members": 3}, {"model.num_steps": 4}, {"model.solver": "euler"}]
)
def test_arguments_of_forecasts_decide_the_test_and_not_the_training(edit: dict[str, Any]) -> None:
    """Trained weights could not be tested with more members, or two ways of it would be equal."""
    one, other = (complete(toy.config("anywhere", **FLOW, **o)) for o in ({}, edit))
    assert not list(differences(training_facts(one), training_facts(other)))
    ((key, _, now),) = differences(plan.test_facts(one), plan.test_facts(other))
    assert {key: now} == edit == plan.forecast_facts(other)


class _Sampled:
    forecast_arguments = ("sampler", "num")


def test_an_argument_that_is_a_config_is_one_with_its_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A test with another sampler would be refused, as if the weights depended on it."""
    monkeypatch.setattr(plan.METHODS, "get", lambda _: _Sampled)
    model = {"type": "Sampled", "num": 3, "numbers": 4, "sampler": {"type": "Heun", "steps": 2}}
    acting = {"model.num": 3, "model.sampler.type": "Heun", "model.sampler.steps": 2}
    cfg = Config({"model": model})
    assert plan.forecast_facts(cfg) == acting
    found = {key: value for key, value in training_facts(cfg).items() if key in acting}
    assert not found
    assert training_facts(cfg)["model.numbers"] == 4


def test_another_objective_is_another_training() -> None:
    one, other = (
        complete(toy.config("anywhere", **FLOW, **o)) for o in ({}, {"model.objective": "edm"})
    )
    assert list(differences(training_facts(one), training_facts(other)))


def test_a_difference_is_shown_with_both_values() -> None:
    """The user could not find the edit."""
    found = differences(facts(), facts(**{"model.loss.type": "L1", "seed": 4}))
    assert shown(found) == (
        "seed is 4, the checkpoint has 3; model.loss.type is 'L1', the checkpoint has 'L2'"
    )


def test_the_place_of_data_is_no_difference_and_a_file_counts_by_its_name() -> None:
    """A run could not be continued on another machine."""
    here, there, other = (
        dict(plan._flat({"dataset": {"root": root, "loaders_file": root}, "statistics": file}))
        for root, file in (("a", "a/s.json"), ("/b/c", "C:\\s.json"), ("a", "a/t.json"))
    )
    assert here == there
    assert here != other


class Numbers(Dataset):
    """Items that are all of one value."""

    def __init__(self, values: list[float]) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def sample_id(self, index: int) -> str:
        return f"sample_{index}"

    def __getitem__(self, index: int) -> dict[str, dict[str, torch.Tensor]]:
        frames = torch.arange(8.0).view(2, 1, 2, 2) + self.values[index]
        frames[0, 0, 0, 0] = torch.nan
        return {"inputs": {"frames": frames}, "data_samples": {}}


def changed(one: Dataset, other: Dataset) -> list[str]:
    pair = (data_facts(data, "train_data") for data in (one, other))
    return [key for key, _, _ in differences(*pair)]


def test_other_data_under_the_same_names_are_a_difference() -> None:
    """A run would go on with data that were generated anew."""
    same = Numbers([1.0, 2.0, 3.0])
    assert changed(same, Numbers([1.0, 2.0, 3.0])) == []
    assert changed(same, Numbers([1.0, 2.0, 3.1])) == ["train_data.values"]
    assert changed(same, Numbers([1.0, 2.0, -3.0])) == ["train_data.values"]
    assert changed(same, Numbers([1.0, 3.0, 2.0])) == ["train_data.values"]
    assert len(changed(same, Numbers([1.0, 2.0]))) == 3
    assert changed(same, Numbers([1.0, 2.0, 3.0 + 1e-7])) == []  # as another decoder rounds


def test_a_swap_of_pixels_is_a_difference() -> None:
    """Frames in another order of channels would be taken for the same data."""

    class Turned(Numbers):
        def __getitem__(self, index: int) -> dict[str, dict[str, torch.Tensor]]:
            item = super().__getitem__(index)
            return {**item, "inputs": {"frames": item["inputs"]["frames"].flip(0)}}

    assert changed(Numbers([1.0]), Turned([1.0])) == ["train_data.values"]


def test_few_items_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run on a million samples would begin after an hour."""
    read = []
    original = Numbers.__getitem__
    monkeypatch.setattr(Numbers, "__getitem__", lambda s, i: read.append(i) or original(s, i))
    data_facts(Numbers([0.0] * 1000), "train_data")
    assert len(read) == plan.NUM_PROBED


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("EMAHook", "training"),
        ("EarlyStoppingHook", "training"),
        ("PretrainedHook", "training"),
        ("BaselinesHook", "scores"),
        ("ConformalCalibrationHook", "scores"),
        ("ResultHook", "nothing"),
        ("PredictionsHook", "nothing"),
        ("ForecastFigureHook", "nothing"),
        ("LoggerHook", "nothing"),
        ("ExactCheckpointHook", "nothing"),
        ("PreemptionHook", "nothing"),
        ("ProgressHook", "nothing"),
        ("IterTimerHook", "nothing"),
    ],
)
def test_hooks_count_by_what_they_can_change(kind: str, what: str) -> None:
    """A hook that draws would prevent a resume, or one that trains would not."""
    assert plan.changes(kind) == what


def test_a_hook_of_a_plugin_counts_as_training_unless_it_states_otherwise() -> None:
    """An unknown hook may change the weights."""
    for name, attributes, what in (
        ("Silent", {"before_test": lambda *_: None}, "scores"),
        ("Loud", {"after_train_iter": lambda *_: None}, "training"),
        ("Stated", {"after_train_iter": lambda *_: None, "changes": "nothing"}, "nothing"),
    ):
        cls = type(name, (HOOKS.get("EMAHook").__mro__[1],), attributes)
        HOOKS.module_dict[name] = cls
        try:
            assert plan.changes(name) == what
        finally:
            del HOOKS.module_dict[name]


def test_the_plan_can_be_stored(tmp_path: Path) -> None:
    """A checkpoint with it could not be read without running code."""
    torch.save(facts(), tmp_path / "facts.pth")
    assert torch.load(tmp_path / "facts.pth", weights_only=True) == facts()
