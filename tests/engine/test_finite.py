"""State that is NaN or infinite is found before it is saved."""

import math
import time
from typing import Any

import pytest
import torch

from openstl_ext.engine.finite import non_finite, reject_non_finite
from openstl_ext.errors import NonFiniteError


def state(**changes: Any) -> dict[str, Any]:
    moments = {"step": torch.tensor(3.0), "exp_avg": torch.ones(2), "exp_avg_sq": torch.ones(2)}
    return {
        "state_dict": {"net.w": torch.ones(2), "net.count": torch.tensor(3)},
        "optimizer": {"state": {0: moments}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.99)}]},
        "param_schedulers": [{"_last_value": [0.1], "best": math.inf}],
        "early_stopping": [{"wait_count": 0, "best_score": -math.inf}],
        "ema_state_dict": {"module.net.w": torch.ones(2), "steps": torch.tensor(1)},
        **changes,
    }


def put(part: Any, path: tuple, value: Any) -> None:
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value


PLANTS = {
    ("state_dict", "net.w"): "net.w",
    ("optimizer", "state", 0, "exp_avg"): "exp_avg of net.w",
    ("optimizer", "state", 0, "exp_avg_sq"): "exp_avg_sq of net.w",
    ("ema_state_dict", "module.net.w"): "ema_state_dict.module.net.w",
    ("optimizer", "param_groups", 0, "lr"): "optimizer.param_groups.0.lr",
    ("param_schedulers", 0, "_last_value", 0): "param_schedulers.0._last_value.0",
}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("path", PLANTS)
def test_a_value_that_is_not_finite_is_named(path: tuple, value: float) -> None:
    """A parameter whose moment is infinite does not learn any more, and nothing would show it."""
    planted = state()
    is_tensor = path[0] != "param_schedulers" and path[-1] != "lr"
    put(planted, path, torch.tensor([1.0, value]) if is_tensor else value)
    assert non_finite(planted, ["net.w"]) == [PLANTS[path]]
    with pytest.raises(NonFiniteError, match="was not saved"):
        reject_non_finite(planted, ["net.w"])


def test_state_that_is_finite_is_accepted() -> None:
    """A run could not save because of large weights, counters, or scores that are awaited."""
    large = {"w": torch.tensor([3e38, -3e38]), "h": torch.tensor([6e4]).half(), "i": torch.zeros(0)}
    reject_non_finite(state(state_dict={**large, "c": torch.ones(2, dtype=torch.complex64)}))


def test_many_names_are_counted() -> None:
    """A message of a thousand names would hide the first."""
    weights = {f"w{i}": torch.tensor(math.nan) for i in range(5)}
    with pytest.raises(NonFiniteError, match="saved: w0, w1, w2 and 2 more; the last"):
        reject_non_finite({"state_dict": weights})


def test_the_check_is_cheap() -> None:
    """Saving would become slow for large nets."""
    weights = {f"w{i}": torch.ones(256, 1024) for i in range(40)}
    start = time.perf_counter()
    reject_non_finite({"state_dict": weights})
    assert time.perf_counter() - start < 1.0  # 42 MB; some 10 ms on an idle core
