"""Baselines: Persistence, LinearExtrapolation, TrainingMean, SeasonalMean."""

import numpy as np
import pytest
import torch

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.methods.direct_forecast import DirectForecast
from openstl_ext.models.baselines import LinearExtrapolation, Persistence, TrainingMean
from openstl_ext.models.seasonal_mean import SeasonalMean


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


@pytest.mark.parametrize("num_frames", [2, 3, 5])
def test_linear_extrapolation_of_a_ramp_is_exact(num_frames: int) -> None:
    """A slope of other frames than those asked for would pass for a trend."""
    time = torch.arange(9.0).view(1, -1, 1, 1, 1)
    ramp = torch.randn(2, 1, 2, 3, 4) + time * torch.randn(2, 1, 2, 3, 4)
    kinked = torch.cat([torch.full_like(ramp[:, :1], 9.0), ramp[:, 1:]], dim=1)
    net = LinearExtrapolation(num_frames=num_frames)
    torch.testing.assert_close(net(ramp[:, :5])[:, :4], ramp[:, 5:])
    is_exact = torch.allclose(net(kinked[:, :5])[:, :4], ramp[:, 5:], atol=1e-4)
    assert is_exact == (num_frames < 5)


def test_the_line_is_that_of_least_squares() -> None:
    """The mean of differences depends on two of the frames only."""
    frames = torch.rand(2, 5, 1, 3, 3, dtype=torch.float64)
    forecast = LinearExtrapolation(num_frames=5)(frames)
    slope, value = np.polyfit(np.arange(5), frames[1, :, 0, 1, 2].numpy(), deg=1)
    expected = value + slope * np.arange(5, 10)
    np.testing.assert_allclose(forecast[1, :, 0, 1, 2].numpy(), expected, rtol=1e-12)


def test_a_line_is_clipped_to_the_range_of_the_data() -> None:
    """A digit that appears would be a hundred times as bright after ten steps."""
    frames = torch.tensor([0.0, 0.4]).view(1, 2, 1, 1, 1).expand(1, 2, 1, 2, 2)
    method = DirectForecast(net=LinearExtrapolation(data_range=(0.0, 1.0)), loss={"type": "L2"})
    forecast = method.forecast({"frames": frames}, horizon=5)["forecast"][0, :, 0, 0, 0]
    torch.testing.assert_close(forecast, torch.tensor([0.8, 1.0, 1.0, 1.0, 1.0]))
    with pytest.raises(ConfigError, match=r"data_range=\(1, 0\) must be \(lower, upper\)"):
        LinearExtrapolation(data_range=(1, 0))


def test_a_line_leaves_missing_values_out() -> None:
    """A gap would count as a fall to 0, and be filled with an invented value."""
    frames = torch.tensor([[1.0, 2.0, 3.0], [1.0, torch.nan, 3.0], [1.0, 2.0, torch.nan]])
    frames = torch.cat([frames, torch.tensor([[torch.nan, torch.nan, 3.0]])])
    pixels = frames.T.reshape(1, 3, 1, 2, 2)
    forecast = LinearExtrapolation(num_frames=3)(pixels)[0, 0, 0].flatten()
    expected = torch.tensor([4.0, 4.0, torch.nan, 3.0])
    torch.testing.assert_close(forecast, expected, equal_nan=True)


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


def hours(first: str, number: int) -> torch.Tensor:
    """Return the times of the hours from a date on, seconds since 1970."""
    start = np.datetime64(first, "s").astype(np.int64)
    return torch.from_numpy(start + 3600 * np.arange(number))


@pytest.mark.parametrize(
    ("cycles", "season"),
    [
        (["day"], lambda t: t.astype("datetime64[h]").astype(int) % 24),
        (["week"], lambda t: (t.astype("datetime64[D]").astype(int) + 3) % 7),
        (["year"], lambda t: t.astype("datetime64[M]").astype(int) % 12),
    ],
)
def test_the_mean_of_a_season_is_exact_for_a_cycle(cycles: list[str], season) -> None:
    """A climatology of another hour, day or month would be a weak baseline."""
    times = hours("2015-02-27T00", 24 * 400)
    value = torch.from_numpy(season(times.numpy().astype("datetime64[s]"))).float()
    frames = value.view(-1, 1, 1, 1).expand(-1, 2, 3, 3)
    net = SeasonalMean(cycles=cycles)
    net.fit([{"frames": frames[:5000], "times": times[:5000]}])
    net.fit([{"frames": frames[k : k + 6000], "times": times[k : k + 6000]} for k in (0, 3600)])
    wanted = hours("2021-12-30T05", 100)
    expected = torch.from_numpy(season(wanted.numpy().astype("datetime64[s]"))).float()
    forecast = net(torch.zeros(1, 4, 2, 3, 3), wanted[None])
    torch.testing.assert_close(forecast[0, :, 1, 2, 2], expected)
    assert net.known(wanted).all()


def test_cycles_are_combined() -> None:
    """Monday at eight and Sunday at eight have another traffic."""
    times = hours("2024-01-01T00", 24 * 14)
    frames = torch.rand(24 * 14, 1, 2, 2)
    net = SeasonalMean(cycles=["week", "day"])
    net.fit([{"frames": frames, "times": times}])
    forecast = net(frames[None, :1], times[None, 24 * 7 :])
    expected = (frames[: 24 * 7] + frames[24 * 7 :]) / 2
    torch.testing.assert_close(forecast[0], expected)


def test_an_unknown_season_is_missing() -> None:
    """The mean of a neighbouring season would be reported as that of the right one."""
    frames, times = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1), hours("2024-01-01T06", 2)
    valid = torch.tensor([True, False]).view(2, 1, 1, 1)
    net = SeasonalMean(cycles=["day"])
    net.fit([{"frames": frames, "times": times}, {"frames": 9 * frames, "times": times}])
    wanted = hours("2024-05-01T05", 4)
    forecast = net(frames[None], wanted[None]).flatten()
    torch.testing.assert_close(
        forecast, torch.tensor([torch.nan, 5, 15, torch.nan]), equal_nan=True
    )
    assert net.known(wanted).tolist() == [False, True, True, False]
    net.fit([{"frames": frames, "times": times, "valid": valid}])
    forecast = net(frames[None], wanted[None]).flatten()
    expected = torch.tensor([torch.nan, 1, torch.nan, torch.nan])
    torch.testing.assert_close(forecast, expected, equal_nan=True)


def test_a_season_needs_cycles_and_times() -> None:
    """Without them it would be the mean of all frames under another name."""
    with pytest.raises(ConfigError, match="no cycles"):
        SeasonalMean(cycles=[])
    net = SeasonalMean(cycles=["day"])
    with pytest.raises(RuntimeError, match="fit"):
        net(torch.rand(1, 2, 1, 3, 3), hours("2024-01-01", 2)[None])
    net.fit([{"frames": torch.rand(2, 1, 3, 3), "times": hours("2024-01-01", 2)}])
    with pytest.raises(ShapeError, match="times"):
        DirectForecast(net=net, loss={"type": "L2"}).forecast(
            {"frames": torch.rand(1, 2, 1, 3, 3)}, 2
        )
