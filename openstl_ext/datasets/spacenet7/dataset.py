"""SpaceNet 7: buildings in monthly images of areas all over the earth."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.label_maps import IGNORED, Augment, map_item
from openstl_ext.datasets.sensors.augmentation import check_augment
from openstl_ext.datasets.sensors.images import read_window, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.spacenet7.files import PLACES, Month, find_months, write_splits
from openstl_ext.datasets.spacenet7.labels import LabelCache, read_month
from openstl_ext.datasets.synthetic.class_maps import draw_classes, paint, write_raster
from openstl_ext.datasets.synthetic.marker import described, mark
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count, ImageSize

ALPHA = 4
"""Number of the band that is 0 where the image has no data."""
RADIUS = 6378137.0
"""Radius of the sphere of web mercator, in metres."""
PIXEL = 4.0
TOY = ((100, 110, 60), (190, 150, 130))
"""Red, green and blue of the ground and of buildings in the toy set."""


@final
@DATASETS.register_module()
class SpaceNet7(SequenceDataset):
    """Tile of the image of a month, and which of its pixels are buildings.

    Files:
        Folders of areas as in ``SN7_buildings_train.tar.gz``, below ``root``, ``train/`` or
        ``train/train/``, each with ``images/`` (GeoTIFF of red, green, blue and alpha, about 1024
        x 1024 pixels of 4 m), ``labels/..._Buildings.geojson`` and, for months with unusable
        pixels, ``labels/..._UDM.geojson`` and ``UDM_masks/..._UDM.tif``; and lists of areas,
        ``splits/{train,val,test}.txt``, which ``openstl-ext data spacenet7`` writes.

    Channels and units:
        Red, green and blue, bytes, normalised.

    Splits:
        Whole areas. In the order of their names they become train, train, val, train, test, and so
        on: 36, 12 and 12 of the 60 areas with public labels. The labels of the published test are
        not public.

    Licence:
        CC BY-SA 4.0 as far as is known; the archives are in s3://spacenet-dataset.

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        bands: Names of the bands, in order; all three if not given.
        images: ``images``, or ``images_masked``, in which unusable pixels are blank.
        tile_size: Side of a tile, in pixels. A tile beyond the edge is filled with pixels that are
            not valid; the tiles of an area are those of its first month.
        image_size: Side to which images are resampled (bicubic), in pixels; None keeps it. Labels
            keep their size.
        augment: ``flips`` flips and turns training images with their labels.

    Shape:
        - ``item["inputs"]``: frames (1, C, h, w), bands (1, C).
        - ``item["data_samples"]``: labels and valid (tile_size, tile_size). A pixel is a building
          if its centre is in one. Unusable pixels, and those without an image, are not valid.

    Raises:
        DatasetNotFoundError: If there are no areas or no lists; it gives the command.
        DataError: If a file is missing or damaged, or an image has other bands.

    Source:
        Van Etten et al., The Multi-Temporal Urban Development SpaceNet Dataset, arXiv 2102.04420.

    Deviations:
        PANGAEA-bench leaves out months with unusable pixels, and takes other lists of areas.
    """

    card = Card(
        marks=tuple((f"{place}/*/labels/*_Buildings.geojson",) for place in PLACES),
        note="60 areas with public labels, about 24 months each, 3 x 1024 x 1024 pixels of 4 m.",
    )
    metainfo = Metainfo(name="spacenet7", channels=(), classes=("background", "building"))

    def __init__(
        self,
        *,
        root: str = "data/spacenet7",
        split: str,
        bands: Sequence[str] | None = None,
        images: Literal["images", "images_masked"] = "images",
        tile_size: Count = 256,
        image_size: ImageSize | None = None,
        augment: Augment | None = None,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        self.sensor = Sensor.read("planet_dove_rgb")
        self.sensor = self.sensor.select(bands) if bands else self.sensor
        months = find_months(Path(root), split, images)
        self.tiles = list(_tiles(months, tile_size))
        self._labels = LabelCache(read_month)
        self._size, self._augment = image_size, augment
        channels = tuple(Channel(band.name) for band in self.sensor.bands)
        named = Metainfo(name="spacenet7", channels=channels, classes=self.metainfo.classes)
        self.metainfo = described(named, Path(root))

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write five areas of two months, 64 x 64 pixels, and the lists."""
        mark(root, "SpaceNet 7")
        rng = np.random.default_rng(0)
        for number in range(5):
            area = f"L15-0{number}31E-1257N_1327_3160_13"
            for month in range(1, 3):
                name = f"global_monthly_2018_{month:02d}_mosaic_{area}"
                _write_toy(rng, root / "train" / area, name, is_clear=(number, month) == (1, 1))
        write_splits(root)

    def __len__(self) -> int:
        return len(self.tiles)

    def __getitem__(self, index: int) -> Item:
        month, window = self.tiles[index]
        raster = RasterFile(month.image)
        values = read_window(raster, self.sensor, window, num_other=1)
        alpha = raster.read([ALPHA], window, nodata=[None])[0]
        raster.dataset.close()
        seen = np.nan_to_num(alpha) > 0
        values[:, ~seen] = np.nan
        image = self.sensor.normalise(values, str(month.image))
        labels = np.full(seen.shape, IGNORED, np.int64)
        buildings, unusable = self._labels(month)
        inside = window.meet(Window(0, 0, *buildings.shape))
        if inside is not None:
            part = labels[: inside.height, : inside.width]
            part[:] = np.where(unusable[inside.slices], IGNORED, buildings[inside.slices])
        labels[~seen] = IGNORED
        image = image if self._size is None else resized(image, self._size)
        return map_item([(image, self.sensor.indices)], labels, self._augment)

    def sample_id(self, index: int) -> str:
        """Return area, month, and first row and column of the tile."""
        month, window = self.tiles[index]
        return f"{month.name}_{window.row}_{window.column}"

    def block_id(self, index: int) -> str:
        """Return the area: its months and tiles depend on each other."""
        return self.tiles[index][0].area


def _tiles(months: Sequence[Month], size: int) -> Iterator[tuple[Month, Window]]:
    """Yield each month with the windows of its area."""
    sizes: dict[str, tuple[int, int]] = {}
    for month in months:
        if month.area not in sizes:
            raster = RasterFile(month.image)
            sizes[month.area] = raster.dataset.shape
            raster.dataset.close()
        height, width = sizes[month.area]
        for row in range(0, height, size):
            for column in range(0, width, size):
                yield month, Window(row, column, size, size)


def _write_toy(rng: np.random.Generator, folder: Path, name: str, *, is_clear: bool) -> None:
    """Write image, buildings and, unless the month is clear and empty, unusable pixels."""
    classes = np.where((draw_classes(rng, 64, 6) == 0) & (not is_clear), 1, 0)
    boxes = [(8 * r, 8 * c, 8 * r + 8, 8 * c + 8) for r, c in np.argwhere(classes[::8, ::8] == 1)]
    if not is_clear:  # a building across the edge
        classes[:4, 30:50] = 1
        boxes.append((-20, 30, 4, 50))
    image = np.rint(paint(rng, classes, TOY, 0.05)).clip(0, 255)
    stored = np.concatenate([image, np.full((1, 64, 64), 255)]).astype(np.uint8)
    left, top = RADIUS * np.radians(30.0), RADIUS * np.radians(10.0)
    place: dict[str, Any] = {
        "crs": "EPSG:3857",
        "transform": rasterio().Affine(PIXEL, 0, left, 0, -PIXEL, top),
    }
    unusable = np.broadcast_to((np.arange(64) < 4) & (not is_clear), (1, 64, 64))
    write_raster(folder / f"images/{name}.tif", stored, **place)
    write_raster(folder / f"images_masked/{name}.tif", np.where(unusable, 0, stored), **place)
    if not is_clear:
        mask = 255 * unusable.astype(np.uint8)
        write_raster(folder / f"UDM_masks/{name}_UDM.tif", mask, **place)
    for kind, found in (("Buildings", boxes), ("UDM", [] if is_clear else [(0, 0, 64, 4)])):
        features = [_box(left, top, *box) for box in found]
        content = {"type": "FeatureCollection", "features": features}
        path = folder / f"labels/{name}_{kind}.geojson"
        atomic_write(path, json.dumps(content).encode() if found else b"")


def _box(left: float, top: float, row: int, column: int, end: int, right: int) -> dict[str, Any]:
    """Return a feature in longitude and latitude of a box of pixels in web mercator."""
    corners = ((row, column), (row, right), (end, right), (end, column), (row, column))
    ring = [
        [
            float(np.degrees((left + PIXEL * c) / RADIUS)),
            float(np.degrees(np.arctan(np.sinh((top - PIXEL * r) / RADIUS)))),
        ]
        for r, c in corners
    ]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {}, "geometry": geometry}
