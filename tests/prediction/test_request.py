"""Prediction as requested by the arguments of the tool."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import torch
from mmengine.config import Config
from rasterio import warp

from openstl_ext import config
from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.datasets.lts.dataset import LTSSegmentation
from openstl_ext.errors import UserError
from openstl_ext.prediction.forecasting import FramesScene
from openstl_ext.prediction.request import Request, predict
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.window import Window
from openstl_ext.registry import METHODS

FORECAST = """
model = dict(
    type="RecurrentForecast",
    net=dict(type="ConvLSTM", in_channels=1, hidden=(4,), kernel_size=3, patch_size=4),
    teacher_forcing=dict(type="FreeRunning"),
    loss=dict(type="L2"),
)
test_dataloader = dict(dataset=dict(type="Boiling", root="gone", split="test", num_inputs=4))
"""
LABELS = """
model = dict(
    type="Segmentation",
    net=dict(type="ConvLSTMUNet", in_channels=4, widths=(4, 8)),
    loss=dict(type="BCEDice"),
    data_preprocessor=dict(
        type="SequencePreprocessor",
        statistics="gone/statistics.json",
        channels=dict(frames=["blue", "green", "red", "nir"]),
    ),
)
test_dataloader = dict(
    dataset=dict(type="LTSSegmentation", root="gone", split="test", num_years=3, patch_size=32)
)
"""
FRAMES = np.random.default_rng(0).random((2, 4, 1, 16, 16), dtype="float32")


def made(folder: Path, text: str, **changes: str) -> tuple[Config, Any]:
    """Write a config and weights; return the loaded config and its method."""
    (folder / "toy.py").write_text(text)
    cfg = config.load(folder / "toy.py")
    described = cfg.model.to_dict()
    if changes:
        described["data_preprocessor"].update(changes)
    torch.manual_seed(0)
    method = METHODS.build(described).eval()
    torch.save(method.state_dict(), folder / "weights.pth")
    return cfg, method


def predict_to(cfg: Config, source: str, out: str, **options: Any) -> str:
    """Predict as the command does; names are relative to the working directory."""
    paths = {k: Path(v) if k in ("probability", "region") else v for k, v in options.items()}
    request = Request(source=Path(source), out=Path(out), device="cpu", **paths)
    return predict(cfg, "weights.pth", request)


def answer(method: Any, inputs: dict[str, np.ndarray], *horizon: int) -> dict[str, np.ndarray]:
    """Return the prediction of the method itself."""
    fields = {name: torch.from_numpy(value) for name, value in inputs.items()}
    with torch.inference_mode():
        found = method.answer(method.data_preprocessor({"inputs": fields})["inputs"], *horizon)
    return {name: value.numpy() for name, value in found.items()}


@pytest.fixture
def forecasting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Config, Any]:
    """Write a forecasting recipe and frames."""
    monkeypatch.chdir(tmp_path)
    np.save("frames.npy", FRAMES)
    return made(tmp_path, FORECAST)


@pytest.fixture
def mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Config, Any]:
    """Write a segmentation recipe and a landscape without labels."""
    monkeypatch.chdir(tmp_path)
    Path("lts").mkdir()
    LTSSegmentation.make_toy(Path("lts"))
    for path in (*Path("lts").glob("label*"), *Path("lts").glob("*_coords.npy")):
        path.unlink()
    found = made(tmp_path, LABELS, statistics="lts/statistics.json")
    Path("lts/statistics.json").unlink()  # the checkpoint contains them
    return found


def test_the_horizon_defaults_to_that_of_the_dataset(forecasting):
    """Users would have to repeat the horizon of the config."""
    cfg, method = forecasting
    predict_to(cfg, "frames.npy", "new/next.npy")
    wanted = answer(method, {"frames": FRAMES}, 10)["forecast"]
    np.testing.assert_allclose(np.load("new/next.npy"), wanted, atol=1e-6)


def test_the_newest_frames_are_used_on_request(forecasting):
    """A growing series would have to be cut for every forecast."""
    cfg, _ = forecasting
    np.save("longer.npy", np.concatenate([1 - FRAMES, FRAMES], axis=1))
    predict_to(cfg, "longer.npy", "longer_next.npy", last=True)
    predict_to(cfg, "frames.npy", "next.npy")
    np.testing.assert_array_equal(np.load("longer_next.npy"), np.load("next.npy"))


def test_only_a_folder_of_predictions_is_replaced(forecasting):
    """A folder of data would be deleted by mistake."""
    cfg, _ = forecasting
    predict_to(cfg, "frames.npy", "days", horizon=3)
    predict_to(cfg, "frames.npy", "days", horizon=2, batch_size=1)
    files = {str(path.relative_to("days")) for path in Path("days").rglob("*.*")}
    frames = {f"0000{n}/{t}.npy" for n in range(2) for t in range(2)}
    assert files == {*frames, "prediction.json"}
    about = json.loads(Path("days/prediction.json").read_text())
    assert about == {"config": cfg.identity, "checkpoint": "weights.pth", "input": "frames.npy"}
    Path("data").mkdir()
    Path("data/precious.txt").touch()
    with pytest.raises(UserError, match="not replaced"):
        predict_to(cfg, "frames.npy", "data")
    for t in (2, 3):
        np.save(f"days/00000/{t}.npy", FRAMES[0, 0, 0])
    with pytest.raises(UserError, match="contains --input"):
        predict_to(cfg, "days/00000", "days")
    assert Path("data/precious.txt").exists()


@pytest.mark.parametrize(
    ("source", "out", "options", "message"),
    [
        ("nowhere.npy", "o.npy", {}, "does not exist"),
        ("longer.npy", "o.npy", {}, "has 8 frames per sample, but the config expects 4; --last"),
        ("short.npy", "o.npy", {"last": True}, "has 1 frames per sample"),
        ("toy.py", "o", {}, r"\(Boiling\) opens no rasters"),
        ("frames.npy", "o.tif", {}, "an .npy or a folder"),
        ("frames.npy", "frames.npy", {}, "the same file as the input"),
        ("frames.npy", "o.npy", {"horizon": 0}, "--horizon is 0; it must be at least 1"),
        ("frames.npy", "o.npy", {"horizon": 10**9}, "it must be at most 100000"),
        ("frames.npy", "o.npy", {"batch_size": 0}, "--batch-size is 0; it must be at least 1"),
        ("frames.npy", "o.npy", {"region": "r.geojson"}, "for maps"),
        ("wide.npy", "o.npy", {}, r"\(4, 2, 16, 16\)|2 channels"),
    ],
)
def test_mistakes_about_frames_are_one_sentence(forecasting, source, out, options, message):
    """A wrong path would end in a traceback or in incomplete output."""
    np.save("longer.npy", np.concatenate([FRAMES, FRAMES], axis=1))
    np.save("short.npy", FRAMES[:, :1])
    np.save("wide.npy", np.concatenate([FRAMES, FRAMES], axis=2))
    before = set(Path().iterdir())
    with pytest.raises(UserError, match=message):
        predict_to(forecasting[0], source, out, **options)
    assert set(Path().iterdir()) == before
    np.testing.assert_array_equal(np.load("frames.npy"), FRAMES)


def test_a_map_equals_the_prediction_of_the_method(mapping):
    """Maps would differ from what was evaluated."""
    cfg, method = mapping
    predict_to(cfg, "lts", "map.tif", probability="p.tif", tile=128)
    scene = LTSSegmentation.scene(Path("lts"), {"num_years": 3})
    inputs = scene.read(Window(0, 0, 128, 128))
    whole = answer(method, {name: value[None] for name, value in inputs.items()})
    with rasterio.open("map.tif") as labels, rasterio.open("p.tif") as rng:
        scene.grid.check_same(Grid.of(labels), path="lts", other_path="map.tif")
        scene.grid.check_same(Grid.of(rng), path="lts", other_path="p.tif")
        known = labels.read(1) != labels.nodata
        assert np.array_equal(known, inputs["valid"].any((0, 1)))
        shares, classes = rng.read(), labels.read(1)
    np.testing.assert_allclose(shares[:, known], whole["probability"][0][:, known], atol=1e-5)
    assert np.array_equal(classes[known], whole["labels"][0][known])


def test_a_region_in_degrees_is_mapped_on_a_raster_in_metres(mapping):
    """The wrong area would be mapped."""
    x, y = [500_600, 502_100, 502_100, 500_600], [5_199_400] * 2 + [5_198_800] * 2
    longitude, latitude = warp.transform("EPSG:32633", "EPSG:4326", x, y)
    ring = [list(point) for point in zip(longitude, latitude, strict=True)]
    district = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    Path("district.geojson").write_text(json.dumps(district))
    report = predict_to(mapping[0], "lts", "part.tif", region="district.geojson")
    assert "of 32 pixels" in report  # the patches of the config
    predict_to(mapping[0], "lts", "map.tif")
    with rasterio.open("part.tif") as part, rasterio.open("map.tif") as whole:
        assert (part.width, part.height) == (pytest.approx(50, abs=2), pytest.approx(20, abs=2))
        assert part.crs == whole.crs
        found, there = part.read(1), whole.read(1, window=whole.window(*part.bounds))
    inside = found != 255
    assert inside.mean() > 0.8
    assert (found[inside] == there[inside]).mean() > 0.99  # a tie may fall either way


@pytest.mark.parametrize(
    ("out", "options", "message"),
    [
        ("o.npy", {}, "--out o.npy: the name must end with .tif"),
        ("o.tif", {"probability": "o.tif"}, "the same file"),
        ("o.tif", {"region": "toy.py"}, "a region is a GeoJSON file"),
        ("o.tif", {"tile": 8, "overlap": 8}, "smaller than the size"),
        ("o.tif", {"tile": 1}, "2 x 2|too small|at least"),
    ],
)
def test_mistakes_about_maps_are_one_sentence(mapping, out, options, message):
    """Hours of mapping would end in a traceback or an incomplete map."""
    before = set(Path().iterdir())
    with pytest.raises(UserError, match=message):
        predict_to(mapping[0], "lts", out, **options)
    assert set(Path().iterdir()) == before


def test_weights_of_another_config_are_rejected(mapping):
    """The map would be noise."""
    cfg, _ = mapping
    cfg.model.net.in_channels = 3
    with pytest.raises(UserError, match="wrong shape"):
        predict_to(cfg, "lts", "o.tif")


def test_a_forecast_of_an_area_is_a_folder_of_maps(forecasting, monkeypatch):
    """Maps of several leads would be incomplete or mixed with older ones."""
    cfg, method = forecasting
    opened = []

    def scene(_: type, source: Path, settings: dict[str, Any]) -> FramesScene:
        opened.append((source, settings))
        found = FramesScene(FRAMES[0])
        found.clip = (0.0, 0.01)
        return found

    monkeypatch.setattr(Boiling, "scene", classmethod(scene), raising=False)
    Path("continent").mkdir()
    for horizon in (3, 2):
        predict_to(cfg, "continent", "maps", horizon=horizon, tile=16)
    assert opened[0] == (Path("continent"), {"root": "gone", "num_inputs": 4})
    files = {path.name for path in Path("maps").iterdir()}
    assert files == {"continent_0_central.tif", "continent_1_central.tif", "prediction.json"}
    wanted = answer(method, {"frames": FRAMES[:1]}, 2)["forecast"][0, 1, 0]
    with rasterio.open("maps/continent_1_central.tif") as file:
        np.testing.assert_allclose(file.read(1), wanted.clip(0, 0.01), atol=1e-6)
    for out, options in (("o.tif", {}), ("o", {"probability": "p.tif"})):
        with pytest.raises(UserError, match=r"several maps|predicts classes"):
            predict_to(cfg, "continent", out, **options)
