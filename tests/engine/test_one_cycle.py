"""The one-cycle schedule, compared with torch's."""

from pathlib import Path

import pytest
import torch
from mmengine.optim import OneCycleLR
from torch import nn

from openstl_ext.config import load
from openstl_ext.engine.one_cycle import OneCycleMomentum
from openstl_ext.engine.runner import build
from openstl_ext.errors import ConfigError
from tests.engine import toy
from tests.small_recipe import shrink


@pytest.mark.parametrize("total", [10, 37, 760])
def test_the_schedule_is_the_one_of_torch(total: int) -> None:
    """Models would be trained with another schedule than the published ones."""
    options = {"lr": 1e-3, "betas": (0.9, 0.99)}
    theirs = torch.optim.Adam(nn.Linear(1, 1).parameters(), **options)
    ours = torch.optim.Adam(nn.Linear(1, 1).parameters(), **options)
    reference = torch.optim.lr_scheduler.OneCycleLR(
        theirs, max_lr=2e-3, total_steps=total, final_div_factor=1e4
    )
    schedule = [
        OneCycleLR(ours, eta_max=2e-3, by_epoch=False, end=total),
        OneCycleMomentum(ours, end=total),
    ]
    for step in range(total):
        (one,), (other,) = ours.param_groups, theirs.param_groups
        assert one["lr"] == pytest.approx(other["lr"], rel=1e-12)
        assert one["betas"] == pytest.approx(other["betas"], rel=1e-12)
        theirs.step()
        ours.step()
        if step < total - 1:
            reference.step()
        for part in schedule:
            part.step()


def test_the_momentum_continues_after_a_resume() -> None:
    """A resumed run would have another momentum than an uninterrupted one."""
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0, momentum=0.9)
    schedule = OneCycleMomentum(optimizer, end=20)
    values = []
    for _ in range(10):
        optimizer.step()
        schedule.step()
        values.append(optimizer.param_groups[0]["momentum"])
    state = schedule.state_dict()
    assert all(isinstance(v, int | float | bool | str | list | type(None)) for v in state.values())
    fresh = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=1.0, momentum=0.9)
    resumed = OneCycleMomentum(fresh, end=20)
    resumed.load_state_dict(state)
    fresh.step()
    resumed.step()
    optimizer.step()
    schedule.step()
    assert fresh.param_groups[0]["momentum"] == optimizer.param_groups[0]["momentum"]
    assert len(set(values)) > 5


def test_a_cycle_ends_with_the_last_full_batch_of_an_upstream_protocol(tmp_path: Path) -> None:
    """The learning rate would follow another schedule than upstream's, which drops the rest."""
    name = "moving_mnist/simvp_gsta_upstream_protocol"
    cfg = shrink(load(name, work_dir=tmp_path))
    cfg.train_dataloader.dataset.epoch_length = 5  # 2 batches of 2
    runner = build(cfg)
    cycle, momentum = runner.param_schedulers
    assert cycle.end == 2 * cfg.train_cfg.max_epochs
    assert momentum.last == cycle.end - 1


def test_a_cycle_that_is_shorter_than_the_training_is_refused(tmp_path: Path) -> None:
    """The run would end with a traceback after the last step of the cycle."""
    cycle = {"type": "OneCycleLR", "eta_max": 1e-2, "total_steps": 15, "by_epoch": False}
    options = {"train_cfg.max_epochs": 2, "param_scheduler": [cycle]}
    with pytest.raises(ConfigError, match="ends after 15 iterations, but the training has 16"):
        build(toy.config(tmp_path, **options))
    cycle["total_steps"] = 16
    build(toy.config(tmp_path, **options)).train()
