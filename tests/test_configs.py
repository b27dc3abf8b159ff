"""Every config in configs/ is alive."""

from pathlib import Path

import pytest

from openstl_ext.config import load
from openstl_ext.engine.runner import build
from openstl_ext.registry import METRICS
from tests.small_recipe import shrink

ROOT = Path(__file__).parents[1] / "configs"
CONFIGS = sorted(p for p in ROOT.rglob("*.py") if "_base_" not in p.relative_to(ROOT).parts)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_every_config_builds_and_trains_on_toy_data(path: Path, tmp_path: Path) -> None:
    """If this fails, a published recipe is a dead letter."""
    runner = build(shrink(load(path, work_dir=tmp_path)))
    batch = next(iter(runner.train_dataloader))
    terms = runner.model.train_step(batch, runner.optim_wrapper)
    assert terms["loss"].isfinite()
    assert runner.test_dataloader.dataset
    assert runner.val_dataloader.dataset


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_every_config_says_where_it_comes_from(path: Path) -> None:
    """If this fails, a row of the leaderboard cannot be traced, or its method has no name."""
    cfg = load(path)
    assert {"name", "paper", "code", "claimed"} <= set(cfg.source)
    assert path.read_text(encoding="utf-8").startswith('"""')


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_a_model_does_not_choose_its_judge(path: Path) -> None:
    """If this fails, a recipe is scored by metrics or data of its own choice."""
    text = path.read_text(encoding="utf-8")
    for block in ("val_evaluator", "test_evaluator", "test_dataloader", "val_dataloader"):
        assert f"\n{block} =" not in text, f"{block} is set only in _base_/benchmarks"


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_best_is_chosen_on_other_samples_than_the_test(path: Path) -> None:
    """If this fails, the best epoch is picked on the test set, which flatters every score."""
    cfg = load(path)
    chosen_on_test = cfg.val_dataloader.dataset == cfg.test_dataloader.dataset
    assert chosen_on_test == path.stem.endswith("_upstream_protocol"), "its name must say so"
    first = METRICS.get(cfg.val_evaluator[0].type)
    assert first in {METRICS.get(metric.type) for metric in cfg.test_evaluator}
