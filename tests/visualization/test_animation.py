"""Animations of saved samples."""

import io
import time

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from openstl_ext.errors import UserError
from openstl_ext.visualization.animated_rows import Row, clocks_of, notes_of, rows_of
from openstl_ext.visualization.animation import Animation, draw_animation
from openstl_ext.visualization.compared import Compared
from openstl_ext.visualization.grid import MINUS
from openstl_ext.visualization.palette import Palette
from openstl_ext.visualization.saved import SavedLabels, SavedSample
from openstl_ext.visualization.scales import rgb_bytes
from openstl_ext.visualization.style import EMPTY, FALSE_ALARM, FOUND, MISSED, NO_DATA


def compared(past=2, future=3, channels=1, height=6, width=8, *, methods=("a/net",)) -> Compared:
    """A truth of one side dark and one bright, and forecasts that are too high by 0.5."""
    frames = np.zeros((past + future, channels, height, width), np.float32)
    frames[..., width // 2 :] = 1
    found = {}
    for number, name in enumerate(methods, start=1):
        forecast = frames[past:] + np.float32(0.5 * number)
        found[name] = SavedSample("s", frames[:past], frames[past:].copy(), forecast)
    return Compared({"config": "a/net"}, found)


def drawn(sample: Compared, **options) -> Animation:
    rows = rows_of(sample, **options)
    return draw_animation(rows, title="a/net", clocks=clocks_of(sample))


def frames_of(gif: bytes) -> NDArray[np.uint8]:
    """Return what a viewer shows, (F, H, W, 3)."""
    image, found = Image.open(io.BytesIO(gif)), []
    for number in range(image.n_frames):
        image.seek(number)
        found.append(np.asarray(image.convert("RGB")))
    return np.stack(found)


def colors_at(row: Row, place: int) -> NDArray[np.uint8]:
    return row.panels[place].colors


def test_panels_show_truth_forecast_and_difference() -> None:
    """The animation would show another forecast than the one that was tested."""
    (row,) = rows_of(compared())
    assert [panel.name for panel in row.panels] == ["truth", "forecast", "difference"]
    assert f"difference: forecast {MINUS} truth" in notes_of(compared(), ["s"], synthetic=False)
    scale, signed = row.scales
    assert (scale.norm.vmin, scale.norm.vmax) == (0, 1.5)
    assert (signed.norm.vmin, signed.norm.vmax) == (-0.5, 0.5)
    truth, forecast, difference = (colors_at(row, k) for k in range(3))
    np.testing.assert_array_equal(truth[:2], forecast[:2])  # the inputs
    np.testing.assert_array_equal(forecast[4, 0, 0], rgb_bytes(scale.cmap(1 / 3)))
    np.testing.assert_array_equal(truth[4, 0, 0], scale.colors[0])
    assert (difference[:2] == rgb_bytes(EMPTY)).all()
    assert (difference[2:] == signed.colors[-1]).all()


def test_the_gif_has_one_frame_per_time_with_exact_colours() -> None:
    """Colours of a forecast would be dithered, or steps lost."""
    sample = compared()
    shown = frames_of(drawn(sample).gif(5))
    assert len(shown) == 5
    (row,) = rows_of(sample)
    for panel in row.panels:
        for frame, colors in zip(shown, panel.colors, strict=True):
            for color in np.unique(colors.reshape(-1, 3), axis=0):
                assert (frame == color).all(axis=-1).sum() > 500


def test_panels_are_where_their_names_are() -> None:
    """A forecast would be shown as the truth."""
    sample = compared()
    frame = frames_of(drawn(sample).gif(5))[-1]
    (row,) = rows_of(sample)
    centres = []
    for panel in row.panels:
        rows, columns = np.nonzero((frame == panel.colors[-1, 0, 0]).all(axis=-1))
        inside = rows > 80
        centres.append(np.median(columns[inside]))
    assert centres == sorted(centres)


def test_twenty_frames_take_less_than_a_second_and_are_the_same_bytes() -> None:
    """A page of pictures would take minutes, or change with each run of its commands."""
    sample = compared(10, 10, 1, 32, 32)
    first = drawn(sample).gif(4)  # loads fonts
    began = time.process_time()
    assert drawn(sample).gif(4) == first
    assert time.process_time() - began < 1
    assert len(frames_of(first)) == 20


@pytest.mark.parametrize(
    ("past", "future", "channels", "height", "width"),
    [(1, 1, 1, 3, 40), (4, 2, 3, 50, 5), (2, 3, 1, 500, 400), (1, 30, 1, 1, 1)],
)
def test_any_shape_is_animated(past, future, channels, height, width) -> None:
    """A data set of another shape would have no animation."""
    sample = compared(past, future, channels, height, width)
    rows = rows_of(sample)
    assert len(rows) == channels
    gif = drawn(sample).gif(10)
    assert Image.open(io.BytesIO(gif)).n_frames == past + future


def test_missing_data_have_a_colour_of_their_own_and_a_legend() -> None:
    """A gap would be read as a value."""
    sample = compared()
    sample.frames["a/net"].target[1, 0, :2] = np.nan
    (row,) = rows_of(sample)
    ((missing, words),) = row.legend
    assert words == "no data"
    color = rgb_bytes(to_rgb(missing))
    truth, _, difference = (colors_at(row, k) for k in range(3))
    assert (truth[3, :2] == color).all()
    assert not (truth[3, 2:] == color).all(axis=-1).any()
    assert (difference[3, :2] == color).all()
    assert (frames_of(drawn(sample).gif(5))[3] == color).all(axis=-1).sum() > 1000


def test_methods_and_samples_are_side_by_side_on_one_scale() -> None:
    """Methods on scales of their own look equally good."""
    sample = compared(methods=("a/net", "b/net"))
    (row,) = rows_of(sample, named=True)
    assert [p.name for p in row.panels[1::2]] == ["a/net", "b/net"]
    assert row.name == "s"
    assert row.scales[0].norm.vmax == 2
    assert row.scales[1].norm.vmax == 1
    both = draw_animation([row, row], title="", clocks=clocks_of(sample))
    assert (
        both.frames.shape[1]
        > draw_animation([row], title="", clocks=clocks_of(sample)).frames.shape[1]
    )


def test_clocks_have_the_time_since_the_last_input() -> None:
    """A reader could not tell inputs from forecasts."""
    sample = compared(2, 2)
    assert clocks_of(sample) == [f"t{MINUS}1, input", "t, input", "t+1, forecast", "t+2, forecast"]
    sample.about["lead"] = (30, "min")
    assert clocks_of(sample)[-1] == "+60 min, forecast"


def test_three_channels_are_shown_as_colours() -> None:
    """A video in colour would be three grey ones."""
    sample = compared(1, 2, 3)
    (row,) = rows_of(sample, rgb=True)
    assert len(row.scales) == 1
    assert len(np.unique(colors_at(row, 0).reshape(-1, 3), axis=0)) == 2
    assert frames_of(drawn(sample, rgb=True).gif(5)).shape[0] == 3


def test_many_colours_fit_into_one_palette() -> None:
    """Pictures of three bands have more colours than a GIF."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 50, 50, 3), dtype=np.uint8)
    fixed = rgb_bytes([(1, 0, 0), (0, 0, 1)])
    palette = Palette.of([fixed], [pixels])
    assert len(palette.colors) <= 256
    assert (palette.colors[palette.indices(fixed)] == fixed).all()
    away = np.abs(palette.colors[palette.indices(pixels)].astype(int) - pixels).mean()
    assert away < 32


def test_label_maps_are_animated_beside_their_images() -> None:
    """Predictions of classes would have no animation."""
    draw = np.random.default_rng(0)
    images = draw.uniform(0, 1, (4, 4, 6, 8)).astype("float32")
    images[1, :, :2] = np.nan
    target = np.zeros((6, 8), np.int64)
    target[:3] = 1
    labels = np.zeros((6, 8), np.int64)
    labels[2:4] = 1
    probability = np.stack([1 - labels, labels]).astype("float32")
    about = {"classes": ["background", "site"], "years": [2001, 2002, 2003, 2005]}
    sample = Compared(about, {"a/net": SavedLabels("r0", images, target, labels, probability)})
    (row,) = rows_of(sample)
    assert [p.name for p in row.panels] == [
        "channel 0, channel 1, channel 2",
        "target",
        "prediction",
    ]
    assert clocks_of(sample) == ["2001", "2002", "2003", "2005"]
    legend = {words: color for color, words in row.legend}
    assert legend == {
        "true positive": FOUND,
        "false positive": FALSE_ALARM,
        "missed": MISSED,
        "no data": NO_DATA,
    }
    assert (colors_at(row, 0)[1, :2] == rgb_bytes(NO_DATA)).all()
    near = np.abs(colors_at(row, 2)[0].astype(int) - rgb_bytes(FALSE_ALARM)).sum(axis=-1)
    assert (near[3] < 100).all()
    assert (near[4:] > 100).all()
    assert "percentiles 2 to 98" in notes_of(sample, ["r0"], synthetic=True)
    assert len(frames_of(drawn(sample).gif(2))) == 4


def test_an_animation_of_too_much_is_refused() -> None:
    """The page would be larger than the memory, or samples would end at other times."""
    sample = compared(methods=("a", "b"))
    rows = rows_of(sample) * 20
    with pytest.raises(UserError, match="100 panels are too many"):
        draw_animation(rows, title="", clocks=clocks_of(sample))
    rows = [*rows_of(sample), *rows_of(compared(2, 5))]
    with pytest.raises(UserError, match="5 and 7 frames"):
        draw_animation(rows, title="", clocks=clocks_of(sample))


def test_a_video_has_the_frames_of_the_gif(tmp_path) -> None:
    """A presentation would show other colours, or lose the last row of pixels."""
    av = pytest.importorskip("av")
    sample = compared()
    found = drawn(sample)
    found.mp4(tmp_path / "a.mp4", 5)
    with av.open(str(tmp_path / "a.mp4")) as file:
        video = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        assert float(file.streams.video[0].average_rate) == 5
    ours = found.palette.colors[found.frames]
    height, width = ours.shape[1:3]
    assert len(video) == len(ours)
    for seen, frame in zip(video, ours, strict=True):
        assert np.abs(seen[:height, :width].astype(int) - frame).mean() < 4
