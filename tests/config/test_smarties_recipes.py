"""Recipes of SMARTIES have the settings of the published scripts."""

from pathlib import Path
from typing import Any

import pytest

from openstl_ext.config.loading import load
from openstl_ext.engine.learning_rate import SCALED, rate_facts

CONFIGS = Path(__file__).parents[2] / "configs"
FINE = {"weight_decay": 0.05, "head_std": 2e-5, "schedule": ("WarmupThenCosineLR", 5)}
PROBE = {"weight_decay": 0.0, "head_std": 0.01, "schedule": ("MultiStepLR", [60, 80])}
MIXED = {"mixup_alpha": 0.8, "cutmix_alpha": 1.0, "prob": 1.0, "switch_prob": 0.5}
PUBLISHED: dict[str, tuple[int, float, int, dict[str, Any]]] = {
    "eurosat/smarties_vit_{}_finetune": (256, 2e-4, 150, FINE | {"mixing": MIXED}),
    "eurosat/smarties_vit_{}_linear_probe": (1024, 4e-3, 100, PROBE),
    "bigearthnet/smarties_vit_{}_s2_finetune": (256, 5e-5, 100, FINE),
    "bigearthnet/smarties_vit_{}_s1_linear_probe": (1024, 4e-3, 100, PROBE),
    "bigearthnet/smarties_vit_{}_s1_s2_linear_probe": (1024, 4e-3, 100, PROBE),
    "resisc45/smarties_vit_{}_finetune": (64, 6.25e-5 / 4, 200, FINE),
    "dfc2020/smarties_vit_{}_linear_probe": (1024, 4e-3, 100, PROBE),
}
"""Batch size, rate of its updates and epochs of the scripts, for one process."""
CASES = [
    (name.format(size), *settings)
    for name, settings in PUBLISHED.items()
    for size in "bl"
    if (CONFIGS / f"{name.format(size)}.py").is_file()
]


@pytest.mark.parametrize(("name", "batch", "rate", "epochs", "other"), CASES)
def test_a_task_is_trained_as_published(
    name: str, batch: int, rate: float, epochs: int, other: dict[str, Any]
) -> None:
    """Scores would be compared with those of another training."""
    cfg = load(CONFIGS / f"{name}.py")
    assert cfg.train_dataloader.batch_size == batch
    assert rate_facts(cfg.to_dict(), 1)[SCALED] == pytest.approx(rate)
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.optim_wrapper.optimizer.betas == (0.9, 0.95)
    assert cfg.optim_wrapper.optimizer.weight_decay == other["weight_decay"]
    (schedule,) = cfg.param_scheduler
    assert (schedule.type, schedule.get("warmup") or schedule.milestones) == other["schedule"]
    assert cfg.model.get("sample_mixing") == other.get("mixing")
    if cfg.model.type == "Classification":
        assert cfg.model.head_std == other["head_std"]
    else:
        assert cfg.model.loss.label_smoothing == 0.1


def test_each_size_that_is_published_has_a_recipe() -> None:
    """The cases above would be fewer where a file was renamed."""
    only_one = {"resisc45/smarties_vit_b_finetune", "dfc2020/smarties_vit_l_linear_probe"}
    both = {name.format(size) for name in PUBLISHED for size in "bl"}
    assert {name for name, *_ in CASES} == both - only_one


@pytest.mark.parametrize("name", ["eurosat", "uc_merced", "whu_rs19"])
@pytest.mark.parametrize("size", ["b", "l"])
def test_neighbours_vote_as_published(name: str, size: str) -> None:
    """Scores would be those of another number of neighbours, or of augmented ones."""
    cfg = load(CONFIGS / f"{name}/smarties_vit_{size}_neighbours.py")
    assert (cfg.model.k, cfg.model.temperature) == (20, 0.07)
    assert cfg.test_cfg.bank.split == "train"
    assert "augment" not in cfg.test_cfg.bank
