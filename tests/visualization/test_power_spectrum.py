"""Power spectra of truth and forecasts."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from openstl_ext.commands.plot_power_spectra import radial_power
from openstl_ext.errors import DataError, UserError
from openstl_ext.visualization import chart
from openstl_ext.visualization.compared import Compared
from openstl_ext.visualization.power_spectrum import draw_spectra, spectra_of
from openstl_ext.visualization.saved import SavedSample
from openstl_ext.visualization.style import COLORS, INK


def wave(number: int, height: int = 32, width: int = 32, amplitude: float = 1.0) -> np.ndarray:
    """Waves along the rows."""
    return np.tile(amplitude * np.sin(2 * np.pi * number * np.arange(width) / width), (height, 1))


def sample(truth: np.ndarray, **forecasts: np.ndarray) -> Compared:
    """Frames (T, H, W) of one channel."""
    frames = {name: forecast[:, None].astype("float32") for name, forecast in forecasts.items()}
    target = truth[:, None].astype("float32")
    return Compared({}, {k: SavedSample("s", target[:1], target, x) for k, x in frames.items()})


@pytest.mark.parametrize("number", [1, 3, 7])
def test_a_wave_has_the_power_of_its_number(number: int) -> None:
    """A blurred forecast would be taken for a sharp one."""
    power = radial_power(wave(number, amplitude=2.0))
    assert len(power) == 17
    assert power.argmax() == number
    # both signs of the wave have (a / 2)^2 H W, averaged over the ring
    rate = np.fft.fftfreq(32) * 32
    ring = (np.rint(np.hypot(rate[:, None], rate)) == number).sum()
    assert power[number] * ring == pytest.approx(2 * (2.0 / 2) ** 2 * 32 * 32)
    assert np.delete(power, number).max() < 1e-12


def test_the_powers_of_white_noise_are_its_variance() -> None:
    """Spectra of frames of other sizes would not compare."""
    for shape in ((64, 64), (48, 80), (33, 20)):
        frames = np.random.default_rng(0).normal(0, 3, (200, *shape))
        power = radial_power(frames)
        assert power.shape == (200, max(shape) // 2 + 1)
        np.testing.assert_allclose(power[:, 3:].mean(axis=0), 9, rtol=0.2)


def test_a_frame_with_a_gap_is_left_out_for_all() -> None:
    """Truth and forecast would be averaged over other frames."""
    truth = np.stack([wave(2), wave(4)])
    gappy = truth.copy()
    gappy[1, 0, 0] = np.nan
    found = spectra_of([sample(truth, net=truth / 2), sample(gappy, net=truth)], radial_power)
    assert (found.num_frames, found.num_gaps) == ([2, 1], 1)
    ratio = found.methods["net"] / found.truth
    assert ratio[0, 1] == pytest.approx((1 / 4 + 1) / 2)
    assert ratio[1, 3] == pytest.approx(1 / 4)
    with pytest.raises(DataError, match="no frame is complete"):
        spectra_of([sample(gappy[1:], net=truth[1:])], radial_power)
    with pytest.raises(DataError, match="have no spectrum"):
        spectra_of([sample(truth[:, :2, :2], net=truth[:, :2, :2])], radial_power)


def test_the_chart_shows_truth_and_methods_by_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    """The colours of a method would change between pictures."""
    figures: list[Figure] = []
    monkeypatch.setattr(
        chart, "Figure", lambda **options: figures.append(Figure(**options)) or figures[-1]
    )
    noise = np.random.default_rng(0).normal(size=(5, 16, 24))
    spectra = spectra_of([sample(noise, a=noise / 2, b=noise * 2)], radial_power)
    picture = draw_spectra(spectra, {"lead": [6, "h"], "unit": "K"})
    assert picture.startswith(b"\x89PNG")
    assert picture == draw_spectra(spectra, {"lead": [6, "h"], "unit": "K"})
    charts = figures[0].axes[::2]
    assert [axes.get_title("left") for axes in charts] == ["+6 h", "+18 h", "+30 h"]
    truth, first, second = charts[0].get_lines()
    assert [line.get_color() for line in (truth, first, second)] == [INK, *COLORS[:2]]
    np.testing.assert_allclose(first.get_ydata(), truth.get_ydata() / 4, rtol=1e-5)
    assert charts[0].get_xscale() == charts[0].get_yscale() == "log"
    assert not any("$" in label.get_text() for label in charts[0].get_yticklabels())
    with pytest.raises(UserError, match="there is no lead 6; the forecasts have leads from 1 to 5"):
        draw_spectra(spectra, {}, leads=[6])


def test_a_large_mean_has_no_power_at_other_waves() -> None:
    """Temperatures in kelvin would have a floor of rounding errors."""
    truth = np.stack([wave(3), wave(3)])
    plain, offset = (
        spectra_of([sample(truth + mean, net=truth)], radial_power).truth for mean in (0, 300)
    )
    np.testing.assert_allclose(offset[0, 2], plain[0, 2], rtol=1e-4)
    assert offset[0, 5:].max() < 1e-6 * offset[0, 2]
