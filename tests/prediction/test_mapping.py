"""Prediction of maps of scenes."""

import tracemalloc
from functools import partial

import numpy as np
import pytest
import torch

from openstl_ext.errors import ConfigError, DataError, ShapeError
from openstl_ext.frame_rules import FrameRules
from openstl_ext.prediction.mapping import map_scene
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.prediction.tiles import Tiling
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window
from openstl_ext.structures import Channel

from .scenes import UTM, Landscape, far_from_edges, forecasting, segmentation

SIDE = 24
TILING = Tiling(height=UTM.height, width=UTM.width, size=SIDE, overlap=10)


def mapped(answer, scene, **options) -> dict[str, np.ndarray]:
    """Collect all rows of a map."""
    rows = []
    sink = lambda _, fields: rows.append({k: v.copy() for k, v in fields.items()})  # noqa: E731
    map_scene(answer, scene, sink, **{"tiling": TILING, **options})
    return {k: np.concatenate([row[k] for row in rows], axis=-2) for k in rows[0]}


@pytest.mark.parametrize("method", [segmentation(), forecasting()], ids=["labels", "frames"])
def test_a_tiled_map_equals_the_untiled_one_inside_tiles(method):
    """Maps would depend on the positions of tiles."""
    predictor, scene = Predictor(method, device="cpu"), Landscape()
    whole = predictor({"frames": scene.frames[None]}, 2)
    found = mapped(partial(predictor, horizon=2), scene)
    far = far_from_edges(TILING.covering(TILING.whole), UTM.height, UTM.width)
    assert 0.1 < far.mean() < 0.9
    assert set(found) == set(whole)
    for name, values in found.items():
        np.testing.assert_allclose(values[..., far], whole[name][0][..., far], atol=1e-5)
        assert np.isfinite(values).all()
        assert np.abs(values - whole[name][0]).max() > 1e-4  # edges of tiles have an effect


def test_the_map_of_a_region_equals_that_part_of_the_full_map():
    """Two maps of a place would depend on their extents."""
    predictor, scene = Predictor(segmentation(), device="cpu"), Landscape()
    answer, area = partial(predictor, horizon=0), Window(13, 31, 40, 50)
    requested = np.random.default_rng(0).random((UTM.height, UTM.width)) > 0.5
    part = mapped(
        answer, scene, area=area, mask=lambda w: requested[w.slices], batch_size=3, step=7
    )
    rows, columns = area.slices
    expected = np.where(requested, mapped(answer, scene)["probability"], np.nan)[:, rows, columns]
    # another batch may take another path through the library of convolutions
    np.testing.assert_allclose(part["probability"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("value", "rules", "message"),
    [
        (-3.4e38, FrameRules(), r"input at .*fill values"),
        (1e4, FrameRules.of([Channel("a", "0-1"), Channel("b", "0-1")]), "expected 0 to 1"),
    ],
)
def test_values_that_cannot_be_right_are_refused(value, rules, message):
    """A fill value without a tag, or another range than in training, would be mapped."""
    scene = Landscape()
    scene.frames[1, 0, 20, 30] = value
    predictor = Predictor(segmentation(), device="cpu")
    with pytest.raises(DataError, match=message):
        mapped(partial(predictor, horizon=0), scene, rules=rules)


def test_only_pixels_with_data_in_some_frame_are_predicted():
    """Pixels of the sea would get arbitrary values."""
    scene = Landscape()
    scene.frames[:, :, 40:, :60] = np.nan
    scene.frames[1:, :, :10] = np.nan
    read = []
    predictor = Predictor(segmentation(), device="cpu")

    def answer(inputs):
        read.append(len(inputs["frames"]))
        return predictor(inputs, 0)

    found = mapped(answer, scene)["probability"]
    unseen = np.zeros((UTM.height, UTM.width), dtype=bool)
    unseen[40:, :60] = True
    assert np.array_equal(np.isnan(found), np.broadcast_to(unseen, found.shape))
    assert sum(read) < len(list(TILING.covering(TILING.whole)))  # empty tiles are skipped
    scene.frames[:] = np.nan
    with pytest.raises(DataError, match=r"no pixel of .* has data"):
        mapped(answer, scene)


def test_a_raster_smaller_than_a_tile_is_padded_to_one():
    """Nets with a fixed input size could not map small rasters."""
    grid = Grid(height=5, width=7, crs="", transform=UTM.transform)
    sizes = []

    def answer(inputs):
        sizes.append(inputs["frames"].shape)
        return first_frame(inputs)

    scene = Landscape(grid=grid)
    found = mapped(answer, scene, tiling=Tiling(height=5, width=7, size=SIDE, overlap=2))
    np.testing.assert_allclose(found["probability"], scene.frames[0], atol=1e-6)
    assert sizes == [(1, 3, 2, SIDE, SIDE)]


class Endless:
    """Scene that generates frames when it is read."""

    clip = None

    def read(self, window: Window) -> dict[str, np.ndarray]:
        shape = (2, 1, window.height, window.width)
        return {"frames": np.full(shape, window.row, dtype="float32")}


def first_frame(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the first frame as the prediction."""
    return {"probability": inputs["frames"][:, 0]}


def test_memory_grows_with_the_width_and_not_with_the_height():
    """A raster larger than memory could not be mapped."""
    peaks = []
    for height in (200, 1600):
        tiling = Tiling(height=height, width=500, size=32, overlap=8)
        tracemalloc.start()
        map_scene(first_frame, Endless(), lambda *_: None, tiling=tiling, batch_size=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    added = (1600 - 200) * 500 * 4  # bytes of the map alone
    assert peaks[1] - peaks[0] < 0.01 * added
    assert peaks[1] < 0.1 * added


def test_predictions_that_are_not_per_pixel_or_not_finite_are_rejected():
    """A label per sample, or NaN, would become a map."""
    scene, options = Landscape(), {"tiling": TILING}
    with pytest.raises(ShapeError, match="for each pixel"):
        map_scene(lambda _: {"probability": np.ones((1, 2))}, scene, print, **options)
    nothing = np.full((1, 2, SIDE, SIDE), np.nan, dtype="float32")
    with pytest.raises(DataError, match="not finite"):
        map_scene(lambda _: {"forecast": nothing}, scene, print, batch_size=1, **options)
    half = {"forecast": np.zeros_like(nothing), "lower": nothing}  # a step without calibration
    map_scene(lambda _: half, scene, lambda *_: None, batch_size=1, **options)
    with pytest.raises(ConfigError, match="batch-size"):
        map_scene(lambda _: {}, scene, print, batch_size=0, **options)


def test_frames_of_a_wrong_shape_are_one_sentence():
    """Users would get a traceback of torch."""
    predictor = Predictor(segmentation(), device="cpu")
    with pytest.raises(ShapeError, match=r"rejects frames of shape \(5, 2, 8, 8\)"):
        predictor({"frames": np.zeros((1, 5, 2, 8, 8), dtype="float32")}, 0)


def test_bfloat16_is_close_and_returns_float32():
    """Maps in bfloat16 would be wrong or have another type."""
    frames = {"frames": Landscape().frames[None]}
    method = forecasting()
    exact = Predictor(method, device="cpu")(frames, 2)["forecast"]
    near = Predictor(method, device="cpu", amp=True)(frames, 2)["forecast"]
    assert near.dtype == np.float32
    assert 0 < np.abs(near - exact).max() < 0.02


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_missing_device_is_an_error(device):
    """A long job would run on a CPU without notice."""
    with pytest.raises(ConfigError, match=device):
        Predictor(torch.nn.Identity(), device=device)
