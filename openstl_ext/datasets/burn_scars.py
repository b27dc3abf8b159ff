"""HLS BurnScars: areas burnt by wildfires in images of Harmonized Landsat Sentinel-2."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.label_maps import (
    Augment,
    ValFraction,
    draw_window,
    held_out,
    map_item,
    read_labels,
)
from openstl_ext.datasets.sensors.augmentation import check_augment
from openstl_ext.datasets.sensors.images import read_window, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.class_maps import draw_classes, paint, write_raster
from openstl_ext.datasets.synthetic.marker import described, mark
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.leftovers import matches
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.text_file import read_lines
from openstl_ext.value_types import ImageSize

IMAGE, MASK = "_merged.tif", ".mask.tif"
NAME = re.compile(r"(T\w{5})\.\d{7}\.v\d+(?:\.\d+)?$")
"""End of a name: tile, year and day, version."""
KEY = re.compile(r"T\w{5}\.\d{7}\.v\d+")
"""Part of a name by which the lists of the newer arrangement name a chip."""
FILL = 9999
"""Smallest absolute value that stands for no data, beside the tag of the file."""
TOY = ((0.03, 0.06, 0.05, 0.30, 0.18, 0.09), (0.04, 0.06, 0.09, 0.12, 0.22, 0.20))
"""Reflectance of plants and of burnt ground in the toy set."""


@final
@DATASETS.register_module()
class BurnScars(SequenceDataset):
    """Image of a burn scar, and which of its pixels are burnt.

    Files:
        Pairs ``<name>_merged.tif`` (6 bands, float32) and ``<name>.mask.tif`` (1 burnt, 0 not
        burnt, -1 missing) of 512 x 512 pixels of 30 m, in ``training/`` and ``validation/``; or in
        ``data/``, with ``splits/{train,val,test}.txt``, which has a key such as
        ``T10SDH.2020250.v1`` in each line.

    Channels and units:
        B02, B03, B04, B8A, B11 and B12 of HLS S30, normalised. A value that equals the nodata
        value of the file, or whose absolute value is at least 9999, is missing: 0, the mean.

    Splits:
        ``test`` is ``validation/``, which the publishers have drawn at random. ``val`` is cut from
        ``training/`` by whole tiles of the Sentinel-2 grid, so that no place is in both: tiles
        that are evenly spread over the sorted names. With ``splits/``, its lists are used.

    Licence:
        CC BY 4.0, as the card of the publisher states; an older version of it states Apache 2.0.

    Args:
        root: Folder with ``training`` and ``validation``, or with ``data`` and ``splits``.
        split: One of train, val, test.
        bands: Names of the bands, in order; all if not given.
        crop_size: Side of a square that is drawn from each training image, in pixels; None takes
            whole images. Evaluation takes whole images.
        image_size: Side to which images are resampled (bicubic), in pixels; None keeps it. Labels
            keep their size.
        augment: ``flips`` flips and turns training images with their labels.
        val_fraction: Share of the tiles of ``training/`` that validation gets.

    Shape:
        - ``item["inputs"]``: frames (1, C, h, w), bands (1, C).
        - ``item["data_samples"]``: labels and valid (H, W).

    Raises:
        DatasetNotFoundError: If the folders do not exist.
        DataError: If an image has no mask, a mask has another size or a value that is not a label,
            or the unit is not reflectance.
        ConfigError: If ``crop_size`` is larger than an image.

    Source:
        Jakubik et al., HLS Burn Scar Scenes, https://doi.org/10.57967/hf/0956

    Deviations:
        PANGAEA-bench shuffles the images of ``training/`` for validation, so that images of one
        place may be in both parts, and replaces missing values by reflectance 0.
    """

    card = Card(
        marks=((f"training/*{IMAGE}",), (f"data/*{IMAGE}",)),
        shape="1 x 6 x 512 x 512",
        note="804 images, two thirds of them for training; val is a part of these.",
    )
    metainfo = Metainfo(name="burn_scars", channels=(), classes=("not_burnt", "burnt"))

    def __init__(
        self,
        *,
        root: str = "data/burn_scars",
        split: str,
        bands: Sequence[str] | None = None,
        crop_size: ImageSize | None = 224,
        image_size: ImageSize | None = None,
        augment: Augment | None = None,
        val_fraction: ValFraction = 0.1,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        self.sensor = Sensor.read("hls_s30")
        self.sensor = self.sensor.select(bands) if bands else self.sensor
        self.images = _images(Path(root), split, val_fraction)
        self._crop = crop_size if split == "train" else None
        self._size, self._augment = image_size, augment
        channels = tuple(Channel(band.name) for band in self.sensor.bands)
        named = Metainfo(name="burn_scars", channels=channels, classes=self.metainfo.classes)
        self.metainfo = described(named, Path(root))

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write three chips for training and one for the test, of 64 pixels."""
        mark(root, "HLS BurnScars")
        rng = np.random.default_rng(0)
        places = ["training/{}T10SDH", "training/{}T11SKU", "training/{}T12TVL"]
        for number, place in enumerate([*places, "validation/{}T13TDE"]):
            classes = draw_classes(rng, 64, 2)
            image = paint(rng, classes, TOY, 0.03).clip(0, 1)
            image[:, :4, :6] = -FILL
            labels = np.where(image[0] == -FILL, -1, classes).astype(np.int16)
            name = place.format("subsetted_512x512_HLS.S30.") + f".20{18 + number}250.v1.4"
            write_raster(root / f"{name}{IMAGE}", image, nodata=-FILL)
            write_raster(root / f"{name}{MASK}", labels[None])

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return arguments that read whole images."""
        del root
        return {"crop_size": None}

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Item:
        path = self.images[index]
        raster = RasterFile(path, codes=True)  # a fill value without a tag is no error here
        height, width = raster.dataset.shape
        window = Window(0, 0, height, width)
        if self._crop is not None:
            window = draw_window(height, width, self._crop, path)
        values = read_window(raster, self.sensor, window)
        values[np.abs(values) >= FILL] = np.nan
        labels = read_labels(_mask(path), self.metainfo.classes, window, image=raster)
        raster.dataset.close()
        image = self.sensor.normalise(values, str(path))
        image = image if self._size is None else resized(image, self._size)
        return map_item([(image, self.sensor.indices)], labels, self._augment)

    def sample_id(self, index: int) -> str:
        """Return the name of the image, with tile and date."""
        return self.images[index].name.removesuffix(IMAGE)

    def block_id(self, index: int) -> str:
        """Return the tile of the image, which may have images of several dates."""
        return ".".join(self.sample_id(index).split(".")[:3])


def _mask(image: Path) -> Path:
    return image.with_name(image.name.removesuffix(IMAGE) + MASK)


def _images(root: Path, split: str, val_fraction: float) -> list[Path]:
    """Return the images of a split."""
    lists = root / "splits"
    folder = root / ("data" if lists.is_dir() else "validation" if split == "test" else "training")
    if not folder.is_dir():
        unpack = f"tar -xzf hls_burn_scars.tar.gz -C {root}"
        by_hand = "fetch hls_burn_scars.tar.gz by hand (doi.org/10.57967/hf/0956)"
        raise DatasetNotFoundError(folder, prepare=unpack, by_hand=by_hand)
    images = matches(folder, f"*{IMAGE}")
    if not images:
        raise DataError(f"{folder}: no image *{IMAGE}; unpack hls_burn_scars.tar.gz again")
    if missing := [_mask(path) for path in images if not _mask(path).is_file()]:
        raise DataError(f"{missing[0]}: there is no such mask of an image; unpack the set again")
    if lists.is_dir():
        return _listed(lists / f"{split}.txt", images)
    if split == "test":
        return images
    tiles = {path: _tile(path) for path in images}
    chosen = held_out(list(tiles.values()), val_fraction)
    found = [path for path in images if (tiles[path] in chosen) == (split == "val")]
    if not found:
        raise ConfigError(
            f"{folder}: {len(set(tiles.values()))} tiles leave nothing for {split} with "
            f"val_fraction={val_fraction:g}; use another share"
        )
    return found


def _tile(path: Path) -> str:
    match = NAME.search(path.name.removesuffix(IMAGE))
    if match is None:
        raise DataError(
            f"{path}: the name does not end with tile, date and version, as in "
            f"HLS.S30.T10SDH.2020250.v1.4{IMAGE}; give it its published name"
        )
    return match[1]


def _listed(path: Path, images: Sequence[Path]) -> list[Path]:
    """Return the images that a list names by their keys."""
    known = {match[0]: image for image in images if (match := KEY.search(image.name))}
    found = []
    for line in read_lines(path):
        key = KEY.search(line)
        if key is None or key[0] not in known:
            raise DataError(
                f"{path}: {line!r} names no image in {images[0].parent}; unpack the set again, or "
                "remove the line"
            )
        found.append(known[key[0]])
    return found
