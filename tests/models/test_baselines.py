"""The two forecasts that cost nothing."""

import pytest
import torch

from openstl_ext.models.persistence import Persistence
from openstl_ext.models.training_mean import TrainingMean


def test_persistence_says_the_last_frame_again() -> None:
    """A wrong baseline makes every model look good."""
    frames = torch.rand(2, 3, 1, 4, 5)
    forecast = Persistence()(frames)
    assert forecast.shape == frames.shape
    assert all(torch.equal(forecast[:, t], frames[:, -1]) for t in range(3))


def test_the_training_mean_is_the_mean_of_what_is_valid() -> None:
    """A gap in the training data must not become a zero in the climatology."""
    first, second = torch.rand(2, 1, 3, 3), torch.rand(2, 1, 3, 3)
    valid = torch.ones_like(second, dtype=torch.bool)
    valid[:, 0, 0, 0] = False
    gappy = torch.where(valid, second, torch.nan)

    net = TrainingMean()
    net.fit([{"frames": first}, {"frames": gappy, "valid": valid}])

    said = net(torch.rand(1, 5, 1, 3, 3))[0, 0, 0]
    both = torch.cat([first, second]).mean(dim=0)[0]
    torch.testing.assert_close(said[1:], both[1:])
    torch.testing.assert_close(said[0, 0], first[:, 0, 0, 0].mean())


def test_a_mean_that_was_never_taken_is_no_forecast() -> None:
    """Zeros would be scored without a word."""
    with pytest.raises(RuntimeError, match="fit"):
        TrainingMean()(torch.rand(1, 2, 1, 3, 3))
