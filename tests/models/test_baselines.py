"""Baselines: Persistence, LinearExtrapolation, TrainingMean."""

import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.methods.direct_forecast import DirectForecast
from openstl_ext.models.baselines import LinearExtrapolation, Persistence, TrainingMean


def test_persistence_repeats_the_last_frame() -> None:
    """A wrong baseline would make every model look good."""
    frames = torch.rand(2, 3, 1, 4, 5)
    forecast = Persistence()(frames)
    assert forecast.shape == frames.shape
    assert all(torch.equal(forecast[:, t], frames[:, -1]) for t in range(3))


@pytest.mark.parametrize("horizon", [1, 3, 8])
def test_linear_extrapolation_continues_at_any_horizon(horizon: int) -> None:
    """A chain that starts a new line with each output would be no baseline of a trend."""
    start, slope = torch.rand(2, 1, 1, 4, 5), torch.randn(2, 1, 1, 4, 5)
    time = torch.arange(3 + horizon).view(1, -1, 1, 1, 1)
    line = start + time * slope
    method = DirectForecast(net=LinearExtrapolation(), loss={"type": "L2"})
    forecast = method.forecast({"frames": line[:, :3]}, horizon)["forecast"]
    torch.testing.assert_close(forecast, line[:, 3:], rtol=1e-4, atol=1e-4)


def test_linear_extrapolation_of_one_frame_is_rejected() -> None:
    """A line from zero would be a forecast of doubling."""
    with pytest.raises(ShapeError, match="two input frames"):
        LinearExtrapolation()(torch.rand(1, 1, 1, 4, 4))


def test_the_training_mean_ignores_invalid_pixels() -> None:
    """Gaps in the training data would count as zeros in the climatology."""
    first, second = torch.rand(2, 1, 3, 3), torch.rand(2, 1, 3, 3)
    valid = torch.ones_like(second, dtype=torch.bool)
    valid[:, 0, 0, 0] = False
    gappy = torch.where(valid, second, torch.nan)

    net = TrainingMean()
    net.fit([{"frames": first}, {"frames": gappy, "valid": valid}])

    forecast = net(torch.rand(1, 5, 1, 3, 3))[0, 0, 0]
    both = torch.cat([first, second]).mean(dim=0)[0]
    torch.testing.assert_close(forecast[1:], both[1:])
    torch.testing.assert_close(forecast[0, 0], first[:, 0, 0, 0].mean())


def test_the_training_mean_must_be_fitted_first() -> None:
    """Zeros would be scored as a forecast without a warning."""
    with pytest.raises(RuntimeError, match="fit"):
        TrainingMean()(torch.rand(1, 2, 1, 3, 3))
