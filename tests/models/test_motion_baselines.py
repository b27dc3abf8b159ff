"""Baselines that move the last frame: Translation and OpticalFlow."""

import sys

import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers.advection import advect
from openstl_ext.methods.direct_forecast import DirectForecast
from openstl_ext.models.baselines import Persistence
from openstl_ext.models.optical_flow import OpticalFlow
from openstl_ext.models.translation import Translation, mean_shift


def moving(*velocities: tuple[float, float], length: int = 8) -> Tensor:
    """Return two bright spots (B, length, 1, 32, 40) that move by a velocity per frame each."""
    y, x = torch.arange(32.0).view(-1, 1), torch.arange(40.0).view(1, -1)

    def spot(at: tuple[float, float], step: int, velocity: tuple[float, float]) -> Tensor:
        row, column = (place + step * speed for place, speed in zip(at, velocity, strict=True))
        return torch.exp(-((y - row) ** 2 + (x - column) ** 2) / 12)

    places = ((14.0, 16.0), (18.0, 23.0))
    return torch.stack(
        [
            torch.stack(
                [spot(places[0], t, v) + 0.5 * spot(places[1], t, v) for t in range(length)]
            )
            for v in velocities
        ]
    )[:, :, None]


@pytest.mark.parametrize(
    "velocity", [(0.0, 0.0), (1.0, 0.0), (0.0, -2.0), (-1.0, 1.0), (1.3, -0.7)]
)
def test_the_shift_of_a_moving_pattern_is_exact(velocity: tuple[float, float]) -> None:
    """Rows and columns could be swapped, or the sign be wrong; each halves the score."""
    shift = mean_shift(moving(velocity, length=4))
    torch.testing.assert_close(shift, torch.tensor([velocity]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("velocity", [(1.0, 0.0), (0.0, -1.0), (-1.0, 1.0)])
@pytest.mark.parametrize(
    ("net", "tolerance"),
    [(Translation(), 1e-3), (OpticalFlow(), 0.01), (OpticalFlow(method="dis"), 0.01)],
    ids=["Translation", "farneback", "dis"],
)
def test_a_translating_pattern_is_forecast_exactly(net, tolerance: float, velocity) -> None:
    """A baseline that does not follow the simplest motion makes every model look good."""
    frames = moving(velocity, length=9)
    past, future = frames[:, :4], frames[:, 4:]
    forecast = DirectForecast(net=net, loss={"type": "L2"}).forecast({"frames": past}, 5)[
        "forecast"
    ]
    assert (forecast - future).abs().max() < tolerance
    assert (Persistence()(past) - future[:, :4]).abs().max() > 0.3


def test_a_fraction_of_a_pixel_is_interpolated() -> None:
    """Motion slower than a pixel a frame would be taken for none."""
    frames = moving((0.5, 0.25))
    error = (Translation()(frames[:, :4]) - frames[:, 4:]).abs().max()
    assert error < 0.06
    assert (Persistence()(frames[:, :4]) - frames[:, 4:]).abs().max() > 0.4


def test_samples_and_channels_do_not_mix() -> None:
    """A shift of one sample would move another."""
    velocities = [(1.0, 0.0), (0.0, 2.0), (0.0, 0.0)]
    together = moving(*velocities, length=4)
    for index, velocity in enumerate(velocities):
        alone = Translation()(moving(velocity, length=4))
        torch.testing.assert_close(Translation()(together)[index : index + 1], alone)
    two = torch.cat([together, 3 * together], dim=2)
    torch.testing.assert_close(Translation()(two)[:, :, 1], 3 * Translation()(together)[:, :, 0])


@pytest.mark.parametrize("net", [Translation(), OpticalFlow()], ids=["Translation", "OpticalFlow"])
def test_without_motion_the_last_frame_is_repeated(net) -> None:
    """A constant frame has no phase; a division by zero would be a forecast of NaN."""
    for frames in (
        torch.zeros(1, 3, 2, 16, 16),
        torch.full((1, 3, 2, 16, 16), 7.0),
        moving((0.0, 0.0), length=3),
    ):
        torch.testing.assert_close(net(frames), Persistence()(frames), atol=1e-4, rtol=0)


@pytest.mark.parametrize("net", [Translation(), OpticalFlow()], ids=["Translation", "OpticalFlow"])
def test_missing_pixels_stay_missing_and_move(net) -> None:
    """A gap would count as a black spot that moves, or poison the whole frame."""
    frames = moving((0.0, 1.0), length=4)
    frames[..., :2, :2] = torch.nan
    forecast = net(frames)
    missing = forecast.isnan()
    assert 0 < missing[0, 0].sum() <= 12
    assert not missing[..., 6:, 8:].any()
    whole = net(moving((0.0, 1.0), length=4))
    torch.testing.assert_close(forecast[~missing], whole[~missing], atol=0.01, rtol=0)
    everything = torch.full((1, 3, 1, 16, 16), torch.nan)
    assert net(everything).isnan().all()


@pytest.mark.parametrize("net", [Translation(), OpticalFlow()], ids=["Translation", "OpticalFlow"])
def test_one_frame_has_no_motion(net) -> None:
    """A shift of nothing would be noise."""
    with pytest.raises(ShapeError, match="two input frames"):
        net(torch.rand(1, 1, 1, 16, 16))


def test_a_small_frame_has_no_dense_inverse_search() -> None:
    """OpenCV ends the process instead of raising an error."""
    with pytest.raises(ShapeError, match=r"at least 16 x 16 pixels, got 3 of \(12, 20\)"):
        OpticalFlow(method="dis")(torch.rand(1, 3, 1, 12, 20))


def test_without_opencv_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback of an import would hide the remedy."""
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ConfigError, match="pip install opencv-python-headless"):
        OpticalFlow()(torch.rand(1, 3, 1, 16, 16))


def test_advection_reads_rows_and_columns() -> None:
    """The axes of the sampling grid are in the opposite order."""
    frame = torch.arange(12.0).view(1, 1, 3, 4)
    moved = advect(frame, torch.tensor([1.0, 2.0]).view(1, 2, 1, 1))
    assert moved[0, 0].tolist() == [[6, 7, 7, 7], [10, 11, 11, 11], [10, 11, 11, 11]]
