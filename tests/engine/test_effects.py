"""Overrides that cannot act are refused."""

from typing import Any

import pytest

from openstl_ext.config import load
from openstl_ext.engine.defaults import complete
from openstl_ext.engine.effects import without_effect
from openstl_ext.engine.validate import validate
from openstl_ext.errors import ConfigError

CYCLE = "boiling/simvp_gsta_small"
COSINE = "taxibj/small/convlstm"
RATE = "optim_wrapper.optimizer.lr"


def refused(config: str, *overrides: str) -> str:
    """Return the message that refuses a config with overrides."""
    with pytest.raises(ConfigError) as caught:
        validate(complete(load(config, overrides)))
    return str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (f"{RATE}=1e-4", "OneCycleLR sets the learning rate; set param_scheduler.0.eta_max=0.0001"),
        (
            "optim_wrapper.optimizer={'type': 'SGD', 'lr': 0.1}",
            "OneCycleLR sets the learning rate; set param_scheduler.0.eta_max=0.1",
        ),
        ("+optim_wrapper.optimizer.betas=(0.5, 0.999)", "set param_scheduler.1.smallest and"),
        ("+randomness.seed=3", "seed decides it; set seed"),
        ("+train_dataloader.persistent_workers=False", "train_dataloader.num_workers decides it"),
        ("+auto_scale_lr=dict(enable=True, base_batch_size=16)", "param_scheduler.0.eta_max"),
    ],
)
def test_an_override_that_another_key_replaces_names_that_key(override: str, message: str) -> None:
    """A search over learning rates would compare equal runs."""
    assert message in refused(CYCLE, override)


@pytest.mark.parametrize(
    ("config", "overrides"),
    [
        (COSINE, [f"{RATE}=1e-4"]),
        (CYCLE, ["param_scheduler.0.eta_max=1e-4"]),
        (CYCLE, ["param_scheduler.0.eta_max=1e-4", f"{RATE}=1e-4"]),
        (CYCLE, [f"{RATE}=1e-4", "param_scheduler=None"]),
        (CYCLE, ["+optim_wrapper.optimizer.betas=(0.9, 0.99)"]),
        (CYCLE, ["train_cfg.max_epochs=3", "seed=4"]),
    ],
)
def test_an_override_that_acts_is_accepted(config: str, overrides: list[str]) -> None:
    """A probe could not be run."""
    assert not list(without_effect(complete(load(config, overrides))))


@pytest.mark.parametrize(
    ("schedule", "loop", "message"),
    [
        (
            {"type": "CosineAnnealingLR", "T_max": 50},
            {"max_epochs": 5},
            "max_epochs=5: the schedule CosineAnnealingLR does not follow it, as "
            "param_scheduler.0.T_max is 50; set param_scheduler.0.T_max too",
        ),
        (
            {"type": "OneCycleLR", "total_steps": 50, "by_epoch": False},
            {"max_iterations": 5},
            "param_scheduler.0.total_steps is 50",
        ),
        ({"type": "CosineAnnealingLR", "T_max": 5}, {"max_epochs": 5}, None),
        ({"type": "CosineAnnealingLR"}, {"max_epochs": 5}, None),
        ({"type": "CosineAnnealingLR", "T_max": 50, "by_epoch": False}, {"max_epochs": 5}, None),
    ],
)
def test_a_schedule_of_fixed_length_does_not_follow_the_training(
    schedule: dict[str, Any], loop: dict[str, int], message: str | None
) -> None:
    """A shorter training would end in the middle of its schedule."""
    (name,) = loop
    cfg = {
        "param_scheduler": [schedule],
        "train_cfg": loop,
        "overrides": [f"train_cfg.{name}={loop[name]}"],
    }
    found = "".join(without_effect(cfg))
    assert (message in found) if message else not found
    assert not list(without_effect({**cfg, "overrides": []}))
