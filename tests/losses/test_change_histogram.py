"""Histogram loss: limit of hard bins, gradient, scale and masks."""

import numpy as np
import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.losses.change_histogram import EDGES, ChangeHistogram, inverse_frequency

WEIGHTS = [0.5, 0.1, 1.0, 2.0, 1.5, 1.0, 0.5, 3.0]


def changes(seed: int) -> Tensor:
    """Draw changes that are mostly small, with some growth."""
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, 1, 16, 16, generator=draw).pow(3) * 0.1 + 0.01


def hard_distance(predicted: Tensor, observed: Tensor, weights: list[float]) -> float:
    """Compute the distance with hard bins counted by numpy, the outer ones open."""
    edges = np.array([-np.inf, *EDGES[1:-1], np.inf])
    centres = (np.array(EDGES[1:]) + np.array(EDGES[:-1])) / 2
    total = []
    for a, b in zip(predicted.flatten(0, 1), observed.flatten(0, 1), strict=True):
        shares = [np.histogram(f.double().numpy(), edges)[0] / f.numel() for f in (a, b)]
        gap = np.cumsum(shares[0] - shares[1])[:-1]
        total.append((gap**2 * np.diff(centres) * weights[:-1]).sum())
    return float(np.mean(total))


def test_a_small_temperature_gives_hard_bins() -> None:
    """The soft loss would not be a smooth form of the published one."""
    predicted, observed = changes(0), changes(1)
    expected = hard_distance(predicted, observed, WEIGHTS)
    errors = [
        abs(
            ChangeHistogram(temperature=t, bin_weights=WEIGHTS)(predicted, observed).item()
            - expected
        )
        for t in (0.25, 0.01, 1e-6)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6 * expected + 1e-9


def test_the_gradient_adds_missing_change() -> None:
    """The term would have no effect on training, as upstream."""
    observed = torch.zeros(1, 1, 16, 16)
    observed[..., :8] = 0.05
    start = torch.linspace(0, 0.01, 256).view_as(observed)
    predicted, loss = start.clone().requires_grad_(), ChangeHistogram()
    optimizer = torch.optim.Adam([predicted], lr=1e-3)
    for _ in range(100):
        optimizer.zero_grad()
        loss(predicted, observed).backward()
        optimizer.step()
    assert loss(predicted, observed) < 0.01 * loss(start, observed)
    grown = (predicted > 0.02).float().mean().item()
    assert grown == pytest.approx(0.5, abs=0.05)


def test_the_position_of_change_has_no_effect() -> None:
    """The loss would measure positions, which other losses do."""
    observed = changes(0)
    moved = observed.flatten(-2).roll(37, -1).view_as(observed)
    assert ChangeHistogram()(moved, observed).item() == pytest.approx(0, abs=1e-9)


def test_the_scale_converts_changes_to_the_unit_of_the_edges() -> None:
    """Z-scores in bins of the index would count almost all pixels as changed."""
    predicted, observed, std = changes(0), changes(1), 0.13
    scaled = ChangeHistogram(scale=std)(predicted / std, observed / std)
    torch.testing.assert_close(scaled, ChangeHistogram()(predicted, observed))


def test_frames_without_valid_pixels_do_not_count() -> None:
    """A horizon beyond the data would count as a perfect forecast."""
    predicted, observed = changes(0), changes(1)
    valid = torch.ones_like(observed, dtype=torch.bool)
    valid[:, 2] = False
    found = ChangeHistogram()(predicted, observed, valid)
    torch.testing.assert_close(found, ChangeHistogram()(predicted[:, :2], observed[:, :2]))


def test_rare_bins_have_larger_weights() -> None:
    """The few pixels with strong growth would have almost no effect."""
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
def test_invalid_arguments_are_rejected(arguments: dict, message: str) -> None:
    """A bin of negative width would reverse the sign of the loss."""
    with pytest.raises(ConfigError, match=message):
        ChangeHistogram(**arguments)
