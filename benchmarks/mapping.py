"""Maps of large rasters: time and peak memory against holding the area, and for two heights."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.fresh_process import Cost, measure, ordinary_environment
from benchmarks.harness import Row
from openstl_ext.methods.segmentation import Segmentation
from openstl_ext.prediction import maps
from openstl_ext.prediction.blending import bump
from openstl_ext.prediction.mapping import map_scene
from openstl_ext.prediction.predictor import Predictor
from openstl_ext.prediction.tiles import Tiling
from openstl_ext.rasters.grid import Grid
from openstl_ext.rasters.layer import RasterLayer, RasterStack
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter

YEARS, WIDTH = 3, 1024
HEIGHTS = (1024, 8192)
CACHE = "8"  # MB of decoded blocks that GDAL keeps; a small raster does not fill the default 64
TILE, OVERLAP, BATCH = 128, 32, 8


class Pixels(nn.Module):
    """A net that is cheap, so that reading, blending and writing are measured."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.mix = nn.Conv2d(YEARS, 1, kernel_size=3, padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        return self.mix(frames[:, :, 0])


class RasterScene:
    """Scene of a file with one band per year."""

    clip = None

    def __init__(self, path: Path) -> None:
        self.stack = RasterStack([RasterLayer(path, band=k + 1) for k in range(YEARS)])
        self.grid = self.stack.grid

    def read(self, window: Window) -> dict[str, np.ndarray]:
        return {"frames": self.stack.read(window)[:, None]}

    def steps(self, horizon: int) -> list[str]:
        del horizon
        return []


def write_raster(path: Path, height: int) -> None:
    """Write a raster of noise, strip by strip."""
    transform = (30.0, 0.0, 500_000.0, 0.0, -30.0, 4_000_000.0)
    grid = Grid(height=height, width=WIDTH, crs="", transform=transform)
    chance = np.random.default_rng(0)
    with RasterWriter(path, grid, num_bands=YEARS, dtype="uint8") as writer:
        for row in range(0, height, 256):
            window = Window(row, 0, 256, WIDTH)
            for band in range(YEARS):
                writer.write(chance.integers(0, 200, (256, WIDTH)), window, band + 1)


def streamed(scene: RasterScene, predictor: Predictor, out: Path) -> None:
    """Make a map with the package."""
    grid = scene.grid
    tiling = Tiling(height=grid.height, width=grid.width, size=TILE, overlap=OVERLAP)
    chances = out.with_suffix(".p.tif")
    files = {"grid": grid, "area": tiling.whole, "probability": chances, "tags": {}}
    with maps.label_map(out, predictor, **files) as sink:
        answer = partial(predictor, horizon=0)
        map_scene(answer, scene, sink, tiling=tiling, batch_size=BATCH, step=maps.BLOCK)


def held(scene: RasterScene, predictor: Predictor, out: Path) -> None:
    """Make a map as scripts usually do: read all, sum outputs and weights, divide, write."""
    grid = scene.grid
    tiling = Tiling(height=grid.height, width=grid.width, size=TILE, overlap=OVERLAP)
    frames = scene.read(tiling.whole)["frames"]
    total = np.zeros((2, grid.height, grid.width), np.float32)
    weight = np.zeros((grid.height, grid.width), np.float32)
    window = np.outer(bump(TILE), bump(TILE)).astype(np.float32)
    tiles = list(tiling.covering(tiling.whole))
    for first in range(0, len(tiles), BATCH):
        batch = [tile.slices for tile in tiles[first : first + BATCH]]
        inputs = np.stack([frames[(..., *place)] for place in batch])
        for place, values in zip(
            batch, predictor({"frames": inputs}, 0)["probability"], strict=True
        ):
            total[(slice(None), *place)] += values * window
            weight[place] += window
    total /= weight
    with RasterWriter(out, grid, dtype="uint8", nodata=255) as writer:
        writer.write(predictor.labels_of(total), tiling.whole)
    with RasterWriter(out.with_suffix(".p.tif"), grid, num_bands=2) as writer:
        for band, values in enumerate(total, start=1):
            writer.write(values, tiling.whole, band)


def mapping(way: str, folder: str, height: int) -> Callable[[], None]:
    """Return the call that makes a map; a small map has been made before."""
    make = {"streamed": streamed, "held": held}[way]
    torch.set_num_threads(1)
    method = Segmentation(net=Pixels(), loss={"type": "BCEDice"})
    predictor = Predictor(method, device="cpu")
    root = Path(folder)
    make(RasterScene(root / "warm.tif"), predictor, root / f"{way}_warm.tif")
    scene, out = RasterScene(root / f"{height}.tif"), root / f"{way}_{height}.tif"
    return partial(make, scene, predictor, out)


def measured(way: str, folder: str, height: int) -> Cost:
    environment = ordinary_environment(GDAL_CACHEMAX=CACHE)
    return measure(mapping, way, folder, height, environment=environment)


def check_same(one: Path, other: Path) -> None:
    """Raise unless both maps have the same probabilities."""
    layer, second = RasterLayer(one, band=2), RasterLayer(other, band=2)
    window = Window(0, 0, layer.grid.height, layer.grid.width)
    np.testing.assert_allclose(layer.read(window), second.read(window), atol=1e-5)


def rows() -> Iterator[Row]:
    small, large = HEIGHTS
    with tempfile.TemporaryDirectory() as folder:
        for name, height in (("warm", 256), *((str(h), h) for h in HEIGHTS)):
            write_raster(Path(folder) / f"{name}.tif", height)
        found = {h: measured("streamed", folder, h) for h in HEIGHTS}
        whole = measured("held", folder, large)
        check_same(*(Path(folder) / f"{way}_{large}.p.tif" for way in ("streamed", "held")))
    raster = f"map of {large} x {WIDTH} from {YEARS} years"
    ours = found[large]
    costs = whole.added_bytes, ours.added_bytes
    yield Row(f"{raster}, added memory", "all held", *costs, goal=7.0, unit="MB")
    costs = found[small].peak_bytes, ours.peak_bytes
    yield Row(f"{raster}, peak memory", f"ours, of {small} rows", *costs, goal=0.95, unit="MB")
    yield Row(f"{raster}, time", "all held", whole.seconds, ours.seconds, goal=0.8)
