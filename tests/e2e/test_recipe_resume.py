"""A published recipe that is interrupted and resumed equals the uninterrupted one."""

from pathlib import Path
from typing import Any

import pytest
from mmengine.hooks import Hook

from openstl_ext.config import load
from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import Runner, build
from tests.e2e.test_resume import assert_same, without_time
from tests.small_recipe import shrink

CONFIGS = Path(__file__).parents[2] / "configs"
# together: both kinds of teacher forcing, drop path, schedules by epoch and by iteration,
# random samples, bf16, gaps
RECIPES = [
    "taxibj/convlstm",
    pytest.param("taxibj/vmrnn_b", marks=pytest.mark.slow),
    pytest.param("moving_mnist/vmrnn_d", marks=pytest.mark.slow),
    pytest.param("moving_mnist/simvp_gsta", marks=pytest.mark.slow),
    "human_modification/small/convlstm",
    pytest.param("human_modification/small/quantile_convlstm", marks=pytest.mark.slow),
    "lts/st_mamba",  # running statistics, and a rate that waits for a score
]
ITERATIONS = 8


class PowerCutError(Exception):
    """Error that ends a run in the middle of an epoch."""


class PowerCutHook(Hook):
    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if runner.iter + 1 == 7:
            raise PowerCutError


def recipe(identity: str, work_dir: Path, *, resume: bool = False) -> Runner:
    cfg = shrink(load(CONFIGS / f"{identity}.py", work_dir=work_dir))
    cfg.train_cfg.max_epochs = 2
    cfg.train_dataloader.batch_size = 7  # four batches per epoch
    if identity.startswith("moving_mnist"):
        cfg.train_dataloader.dataset.epoch_length = 27
        cfg.val_dataloader.dataset.val_length = 3
    if identity.startswith("human_modification"):
        cfg.train_dataloader.dataset.chips_per_epoch = 27
        if "histogram" in cfg.model.terms:
            cfg.model.terms.histogram.start_iteration = 5  # between the checkpoint and the cut
    if identity.startswith("lts"):
        cfg.train_dataloader.batch_size = 11
    if cfg.model.get("teacher_forcing", {}).get("type") == "ScheduledSampling":
        cfg.model.teacher_forcing.rate = 0.1  # or no coin would fall to the other side so soon
    cfg.default_hooks.checkpoint = {"type": "ExactCheckpointHook", "interval": 3, "by_epoch": False}
    cfg.custom_hooks, cfg.resume = [], resume
    return build(cfg)


@pytest.mark.parametrize("identity", RECIPES)
def test_a_recipe_is_resumed_exactly(identity: str, tmp_path: Path) -> None:
    """A training on a queue with a time limit would give another model than its config."""
    recipe(identity, tmp_path / "reference").train()
    stopped = recipe(identity, tmp_path / "stopped")
    stopped.register_hook(PowerCutHook())
    with pytest.raises(PowerCutError):
        stopped.train()
    recipe(identity, tmp_path / "stopped", resume=True).train()
    reference, other = (
        without_time(checkpoint.newest(tmp_path / name, pytest.fail)[1])
        for name in ("reference", "stopped")
    )
    assert reference["meta"]["iteration"] == ITERATIONS
    assert_same(reference, other, identity)
