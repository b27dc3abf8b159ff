"""Every config in configs/ builds, trains and is scored as its benchmark requires."""

from pathlib import Path

import pytest

from openstl_ext.config import load
from openstl_ext.engine.runner import build
from openstl_ext.methods.base import PretrainingMethod
from openstl_ext.registry import METHODS, METRICS
from tests.small_recipe import shrink

ROOT = Path(__file__).parents[1] / "configs"
UPSTREAM_SELECTIONS = (
    '\nval_dataloader = dict(dataset=dict(split="test"))\n',
    # VMRNN's script for Moving MNIST selects on digits of its own
    "\nval_dataloader = dict(dataset=dict(digit_range=(10_000, 13_000), val_length=3_000))\n",
)
CONFIGS = sorted(p for p in ROOT.rglob("*.py") if "_base_" not in p.relative_to(ROOT).parts)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_every_config_builds_and_trains_on_toy_data(path: Path, tmp_path: Path) -> None:
    """A published recipe could not be run."""
    cfg = shrink(load(path, work_dir=tmp_path))
    trains = "train_dataloader" in cfg  # nearest neighbours are tested only
    runner = build(cfg, train=trains)
    if trains:
        batch = next(iter(runner.train_dataloader))
        terms = runner.model.train_step(batch, runner.optim_wrapper)
        assert terms["loss"].isfinite()
    for stage in ("val", "test"):
        if f"{stage}_dataloader" in runner.cfg and (trains or stage == "test"):
            assert getattr(runner, f"{stage}_dataloader").dataset


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_every_config_has_a_source_and_a_docstring(path: Path) -> None:
    """A row of the leaderboard would have no name, or could not be traced to its paper."""
    cfg = load(path)
    assert {"name", "paper", "code", "claimed"} <= set(cfg.source)
    assert path.read_text(encoding="utf-8").startswith('"""')


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_a_recipe_does_not_set_its_evaluation(path: Path) -> None:
    """A recipe would be scored by metrics or on data of its own, not by those of its benchmark."""
    text = path.read_text(encoding="utf-8")
    if path.stem.endswith("_upstream_protocol"):
        for selection in UPSTREAM_SELECTIONS:
            text = text.replace(selection, "", 1)
    for block in ("val_evaluator", "test_evaluator", "test_dataloader", "val_dataloader"):
        assert f"\n{block} =" not in text, f"{block} is set only in _base_/benchmarks"


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_the_best_epoch_is_selected_on_other_samples_than_the_test(path: Path) -> None:
    """The best epoch would be selected on the test set, which improves every score."""
    cfg = load(path)
    if issubclass(METHODS.get(cfg.model.type), PretrainingMethod):
        assert "val_dataloader" not in cfg or cfg.val_cfg.type == "NeighbourValLoop"
        return
    selected_on_test = cfg.val_dataloader.dataset == cfg.test_dataloader.dataset
    has_own_digits = "digit_range" in cfg.val_dataloader.dataset
    upstream = path.stem.endswith("_upstream_protocol") and not has_own_digits
    assert selected_on_test == upstream, "only *_upstream_protocol"
    first = METRICS.get(cfg.val_evaluator[0].type)
    assert first in {METRICS.get(metric.type) for metric in cfg.test_evaluator}
