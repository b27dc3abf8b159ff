"""The histogram criterion: hard bins in its limit, and a gradient that moves change."""

import numpy as np
import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.losses.change_histogram import EDGES, ChangeHistogram, inverse_frequency

WEIGHTS = [0.5, 0.1, 1.0, 2.0, 1.5, 1.0, 0.5, 3.0]


def changes(seed: int) -> Tensor:
    """Mostly none, some growth."""
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, 1, 16, 16, generator=draw).pow(3) * 0.1 + 0.01


def by_hand(said: Tensor, true: Tensor, weights: list[float]) -> float:
    """Hard bins counted by numpy, the outer ones open."""
    edges = np.array([-np.inf, *EDGES[1:-1], np.inf])
    centres = (np.array(EDGES[1:]) + np.array(EDGES[:-1])) / 2
    total = []
    for a, b in zip(said.flatten(0, 1), true.flatten(0, 1), strict=True):
        shares = [np.histogram(f.double().numpy(), edges)[0] / f.numel() for f in (a, b)]
        gap = np.cumsum(shares[0] - shares[1])[:-1]
        total.append((gap**2 * np.diff(centres) * weights[:-1]).sum())
    return float(np.mean(total))


def test_a_small_temperature_leaves_hard_bins() -> None:
    """Then the soft criterion is a smooth form of the published one, and nothing else."""
    said, true = changes(0), changes(1)
    expected = by_hand(said, true, WEIGHTS)
    errors = [
        abs(ChangeHistogram(temperature=t, bin_weights=WEIGHTS)(said, true).item() - expected)
        for t in (0.25, 0.01, 1e-6)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6 * expected + 1e-9


def test_the_gradient_asks_for_the_change_that_is_missing() -> None:
    """Upstream's counts have none: the term was logged, and taught nothing."""
    true = torch.zeros(1, 1, 16, 16)
    true[..., :8] = 0.05
    start = torch.linspace(0, 0.01, 256).view_as(true)
    said, loss = start.clone().requires_grad_(), ChangeHistogram()
    optimizer = torch.optim.Adam([said], lr=1e-3)
    for _ in range(100):
        optimizer.zero_grad()
        loss(said, true).backward()
        optimizer.step()
    assert loss(said, true) < 0.01 * loss(start, true)
    grown = (said > 0.02).float().mean().item()
    assert grown == pytest.approx(0.5, abs=0.05)


def test_where_change_lies_does_not_matter() -> None:
    """It is a criterion of amounts; places are judged by the others."""
    true = changes(0)
    moved = true.flatten(-2).roll(37, -1).view_as(true)
    assert ChangeHistogram()(moved, true).item() == pytest.approx(0, abs=1e-9)


def test_a_scale_brings_changes_back_to_the_unit_of_the_edges() -> None:
    """Upstream puts z-scores into bins of the index: 0.005 of a deviation is no change at all."""
    said, true, std = changes(0), changes(1), 0.13
    scaled = ChangeHistogram(scale=std)(said / std, true / std)
    torch.testing.assert_close(scaled, ChangeHistogram()(said, true))


def test_frames_without_truth_have_no_say() -> None:
    """Else a horizon beyond the data would be a perfect forecast."""
    said, true = changes(0), changes(1)
    valid = torch.ones_like(true, dtype=torch.bool)
    valid[:, 2] = False
    found = ChangeHistogram()(said, true, valid)
    torch.testing.assert_close(found, ChangeHistogram()(said[:, :2], true[:, :2]))


def test_rare_bins_weigh_more() -> None:
    """Equal weights leave the few pixels of strong growth without a voice."""
    weights = inverse_frequency([900, 90, 9, 0])
    assert sum(weights) / 4 == pytest.approx(1)
    assert weights == sorted(weights)
    assert weights[1] / weights[0] == pytest.approx((900 / 999 + 1e-3) / (90 / 999 + 1e-3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"edges": [0.0, 0.1, 0.05]}, "ascend"),
        ({"bin_weights": [1.0, 2.0]}, "8 bins"),
        ({"temperature": 0.0}, "positive"),
    ],
)
def test_what_is_no_histogram_is_refused(arguments: dict, message: str) -> None:
    """A bin of negative width turns the loss around."""
    with pytest.raises(ConfigError, match=message):
        ChangeHistogram(**arguments)
