"""Schedules and checkpoints that depend on a score."""

import math
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, ReduceOnPlateauLR
from torch.nn.utils import clip_grad_norm_

from openstl_ext.config import load
from openstl_ext.engine.runner import build
from openstl_ext.errors import ConfigError
from openstl_ext.metrics.overlap import Dice
from tests.engine import toy, toy_sites

SCHEDULE = Path(__file__).parents[2] / "configs/_base_/schedules/adamw_plateau.py"
PLATEAU = {"type": "ReduceOnPlateauLR", "monitor": "dice[site]", "rule": "greater"}


def config(work_dir: Path, **more: Any) -> Config:
    return toy.config(work_dir, **toy_sites.options(**more))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"monitor": "dise"}, "monitor='dise' is not a score; did you mean 'dice'"),
        ({"monitor": "dice[sight]"}, "'dice[sight]' is not a score; did you mean 'dice[site]'"),
        ({"monitor": "dice@site"}, "'dice@site' is not a score; did you mean 'dice[site]'"),
        ({"monitor": "kappa[site]"}, "monitor='kappa[site]' is not a score"),
        ({"rule": "less"}, "rule='less', but dice[site] is best when greater"),
    ],
)
def test_a_schedule_of_an_unknown_score_is_rejected(
    change: dict, message: str, tmp_path: Path
) -> None:
    """The mistake would show after the first epoch, or with the wrong rule never."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        build(config(tmp_path, param_scheduler=[{**PLATEAU, **change}]))


def test_a_schedule_needs_a_score_with_a_direction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rate would fall where the score improves."""
    monkeypatch.setattr(Dice, "higher_is_better", None)
    with pytest.raises(ConfigError, match="has no direction"):
        build(config(tmp_path, param_scheduler=[PLATEAU]))


def test_a_schedule_of_a_score_needs_a_validation(tmp_path: Path) -> None:
    """The rate would never fall."""
    cfg = config(tmp_path, param_scheduler=[PLATEAU])
    for block in ("val_dataloader", "val_cfg", "val_evaluator"):
        cfg.pop(block, None)
    with pytest.raises(ConfigError, match=r"monitor='dice\[site\]' needs a validation"):
        build(cfg)


STOP = {"type": "EarlyStoppingHook", "monitor": "dice[site]", "rule": "greater", "patience": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"monitor": "dise"}, "EarlyStoppingHook.monitor='dise' is not a score; did you mean 'di"),
        ({"rule": "less"}, "rule='less', but dice[site] is best when greater"),
        ({"monitor": "dice[site]@1"}, "the samples of the validation have labels, not leads"),
        ({"rule": None}, "custom_hooks.0: EarlyStoppingHook cannot be built from its"),
        ({"rule": "lower"}, "custom_hooks.0.rule: expected 'less' or 'greater', not 'lower'"),
        ({"patience": -1}, "custom_hooks.0.patience: expected int >= 0, not -1"),
        ({"monitor": 3}, "custom_hooks.0.monitor: expected str, got int: 3"),
    ],
)
def test_early_stopping_by_an_unknown_score_is_rejected(
    change: dict, message: str, tmp_path: Path
) -> None:
    """The training would run to its end."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        build(config(tmp_path, custom_hooks=[{**STOP, **change}]))


def test_early_stopping_by_a_score_is_built(tmp_path: Path) -> None:
    """The mistakes above would be refused for another reason."""
    assert build(config(tmp_path, custom_hooks=[STOP])).hooks


def test_the_score_of_a_class_can_select_the_checkpoint(tmp_path: Path) -> None:
    """A typo in the class would show after the first epoch."""
    hook = {"default_hooks.checkpoint": {"save_best": "dice[site]"}}
    assert build(config(tmp_path, **hook)).hooks
    hook["default_hooks.checkpoint"]["save_best"] = "dice[sights]"
    with pytest.raises(ConfigError, match=r"save_best='dice\[sights\]' is not a score"):
        build(config(tmp_path, **hook))


def test_the_schedule_has_the_published_values(tmp_path: Path) -> None:
    """AdamW 1e-4, weight decay 1e-5, gradient norm at most 1, patience 5, factor 0.1."""
    schedule = load(SCHEDULE)
    cfg = config(tmp_path)
    for block in ("optim_wrapper", "param_scheduler"):
        cfg[block] = schedule[block]
    run = build(cfg)
    optimizer = run.optim_wrapper.optimizer
    assert type(optimizer).__name__ == "AdamW"
    assert (optimizer.defaults["lr"], optimizer.defaults["weight_decay"]) == (1e-4, 1e-5)
    (plateau,) = run.param_schedulers
    assert (plateau.monitor, plateau.factor, plateau.patience) == ("dice[site]", 0.1, 5)
    wrapper = run.optim_wrapper
    assert (wrapper.clip_func, wrapper.clip_grad_kwargs) == (clip_grad_norm_, {"max_norm": 1.0})


def reduced(scores: list[float], **how: Any) -> list[float]:
    """Return the learning rate after each validation, by mmengine."""
    weight = torch.nn.Parameter(torch.zeros(()))
    wrapper = OptimWrapper(torch.optim.SGD([weight], lr=1.0))
    plateau = ReduceOnPlateauLR(wrapper, monitor="dice[site]", rule="greater", **how)
    rates = []
    for score in scores:
        plateau.step()
        plateau.step({"dice[site]": score})
        rates.append(wrapper.param_groups[0]["lr"])
    return rates


def test_the_plateau_is_that_of_torch_and_nan_is_no_progress() -> None:
    """A NaN, the score of a class without pixels, would count as the best score or end the run."""
    scores = [math.nan, 0.0, 0.1, math.nan, 0.3, 0.3, math.nan, 0.29, 0.31, math.nan, 0.3, 0.3, 0.1]
    weight = torch.nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max", patience=2, factor=0.5)
    expected = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a schedule without steps
        for score in scores:
            theirs.step(score)
            expected.append(optimizer.param_groups[0]["lr"])
    assert reduced(scores, patience=2, factor=0.5) == expected
    assert len(set(expected)) == 3


def test_a_validation_without_any_site_does_not_end_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small validation split without a site would end the run."""
    monkeypatch.setattr(Dice, "ratio", lambda *_: math.nan)
    changes = {"train_cfg.max_epochs": 3, "custom_hooks": []}
    run = build(config(tmp_path, **changes))
    run.train()
    assert run.optim_wrapper.param_groups[0]["lr"] == 5e-3  # patience 1, factor 0.5
