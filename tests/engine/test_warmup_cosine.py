"""The cosine schedule of timm, compared with its closed form."""

import math

import pytest
from torch import nn
from torch.optim import SGD

from openstl_ext.engine.state import plain
from openstl_ext.engine.warmup_cosine import WarmupCosineLR


def optimizer(*peaks: float) -> SGD:
    return SGD([{"params": nn.Linear(1, 1).parameters(), "lr": peak} for peak in peaks])


def rates(schedule: WarmupCosineLR, epochs: int) -> list[list[float]]:
    """Return the learning rates of all parameter groups for each epoch."""
    found = []
    for _ in range(epochs):
        found.append([group["lr"] for group in schedule.optimizer.param_groups])
        schedule.optimizer.step()
        schedule.step()
    return found


def closed_form(epoch: int, peak: float, epochs: int, warmup: int) -> float:
    if epoch < warmup:
        return 1e-5 + epoch * (peak - 1e-5) / warmup
    return 1e-6 + 0.5 * (peak - 1e-6) * (1 + math.cos(math.pi * epoch / epochs))


@pytest.mark.parametrize(("epochs", "warmup"), [(50, 5), (200, 5), (50, 0), (7, 6)])
def test_every_epoch_has_the_rate_of_the_closed_form(epochs: int, warmup: int) -> None:
    """Models for TaxiBJ would be trained with another schedule than the published ones."""
    peaks = (5e-4, 1e-4)
    found = rates(WarmupCosineLR(optimizer(*peaks), end=epochs, warmup=warmup), epochs)
    for epoch, values in enumerate(found):
        wanted = [closed_form(epoch, peak, epochs, warmup) for peak in peaks]
        assert values == pytest.approx(wanted, rel=1e-12)


def test_known_rates_by_hand() -> None:
    """Schedule and closed form could have the same mistake."""
    found = [values[0] for values in rates(WarmupCosineLR(optimizer(5e-4), end=50), 50)]
    assert found[0] == pytest.approx(1e-5)
    assert found[1] == pytest.approx(1.08e-4)
    assert found[5] == pytest.approx(1e-6 + 4.99e-4 * (1 + math.cos(0.1 * math.pi)) / 2)
    assert found[25] == pytest.approx(2.505e-4)  # half-way between peak and floor
    assert max(found) == found[5] < 5e-4  # the cosine has begun before the warm-up is over


def test_the_rate_continues_after_a_resume() -> None:
    """A resumed run would have another rate than an uninterrupted one."""
    whole = rates(WarmupCosineLR(optimizer(1e-2), end=20, floor=1e-4), 20)
    for stop in (3, 11):
        first = WarmupCosineLR(optimizer(1e-2), end=20, floor=1e-4)
        rates(first, stop)
        saved = plain(first.state_dict())  # the part that a checkpoint contains
        resumed = WarmupCosineLR(optimizer(1e-2), end=20, floor=1e-4)
        resumed.load_state_dict(saved)
        resumed.optimizer.load_state_dict(first.optimizer.state_dict())
        assert rates(resumed, 20 - stop) == whole[stop:]
    assert len({rate for (rate,) in whole}) > 10
