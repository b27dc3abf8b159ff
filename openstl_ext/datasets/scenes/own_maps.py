"""Label maps of a user: images of any sensor, and the class of each of their pixels."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.base import SPLITS, SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.label_maps import Augment, draw_window, map_item, read_labels
from openstl_ext.datasets.sensors.augmentation import check_augment
from openstl_ext.datasets.sensors.images import read_window, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.class_maps import draw_classes, paint, write_raster
from openstl_ext.datasets.synthetic.marker import described, mark
from openstl_ext.errors import DataError
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.text_file import read_lines
from openstl_ext.value_types import ImageSize

TOY_SENSOR, TOY_CLASSES = "rgb", ("field", "wood")


@final
@DATASETS.register_module()
class SceneMaps(SequenceDataset):
    """Your own images of any sensor, with the class of each pixel.

    Files:
        ``<root>/images/<name>.tif``; ``<root>/labels/<name>.tif`` of the same pixels, one band with
        the index of a class, or -1 or the nodata value of the file where there is no label; and a
        list for each split, ``<root>/<split>.txt``, with one name in each line.

    Channels and units:
        Those of the sensor, normalised by its table.

    Splits:
        Those of the lists. An image is in one list only.

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        sensor: Table of the bands, by its name or as a JSON file.
        classes: Names of the classes, in the order of their indices.
        name: Name in tables; that of the folder by default.
        bands: Names of the bands, in order; the used ones of the table if not given.
        crop_size: Side of a square that is drawn from each training image, in pixels; None takes
            whole images. Evaluation takes whole images.
        image_size: Side to which images are resampled (bicubic), in pixels; None keeps it. Labels
            keep their size.
        augment: ``flips`` flips and turns training images with their labels.

    Shape:
        - ``item["inputs"]``: frames (1, C, h, w), bands (1, C).
        - ``item["data_samples"]``: labels and valid (H, W).

    Raises:
        DataError: If an image, a map or a list is missing, both have other pixels, or a number is
            no class.
        ConfigError: If ``crop_size`` is larger than an image, or ``augment`` not for training.
    """

    card = Card(marks=(("images/*.tif", "labels/*.tif", "train.txt"),), is_own=True)

    def __init__(
        self,
        *,
        root: str,
        split: str,
        sensor: str,
        classes: Sequence[str],
        name: str | None = None,
        bands: Sequence[str] | None = None,
        crop_size: ImageSize | None = None,
        image_size: ImageSize | None = None,
        augment: Augment | None = None,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        self.root = Path(root)
        self.sensor = Sensor.read(sensor)
        self.sensor = self.sensor.select(bands) if bands is not None else self.sensor
        self.sensor_bands = self.sensor.named_bands
        self.names = _listed(self.root, split)
        self._crop = crop_size if split == "train" else None
        self._size, self._augment = image_size, augment
        channels = tuple(Channel(band.name) for band in self.sensor.bands)
        title = name or self.root.resolve().name
        named = Metainfo(name=title, channels=channels, classes=tuple(classes))
        self.metainfo = described(named, self.root)

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write a few small images of fields and woods."""
        mark(root, "label maps")
        rng = np.random.default_rng(0)
        for split, count in (("train", 3), ("val", 2), ("test", 2)):
            names = [f"{split}_{number}" for number in range(count)]
            for name in names:
                classes = draw_classes(rng, 32, len(TOY_CLASSES))
                image = paint(rng, classes, ((150, 160, 90), (40, 80, 30)), 0.05).clip(0, 255)
                labels = classes.astype(np.int16)
                labels[:2, :3] = -1
                write_raster(root / "images" / f"{name}.tif", image.astype(np.uint8))
                write_raster(root / "labels" / f"{name}.tif", labels[None])
            listed = "".join(f"{name}\n" for name in names)
            atomic_write(root / f"{split}.txt", listed.encode())

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return nothing: a folder states neither its sensor nor its classes."""
        del root
        return {}

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Item:
        path, labels_path = _files(self.root, self.names[index])
        raster, labels_raster = RasterFile(path), RasterFile(labels_path, codes=True)
        grid, other = raster.grid, labels_raster.grid
        labels_raster.dataset.close()
        if grid.crs and other.crs and (parts := grid.differs_from(other)):
            raise DataError(
                f"{path} and {labels_path} differ in {', '.join(parts)}; resample the labels to "
                "the pixels of the image"
            )
        window = Window(0, 0, grid.height, grid.width)
        if self._crop is not None:
            window = draw_window(grid.height, grid.width, self._crop, path)
        values = read_window(raster, self.sensor, window)
        labels = read_labels(labels_path, self.metainfo.classes, window, image=raster)
        raster.dataset.close()
        image = self.sensor.normalise(values, str(path))
        image = image if self._size is None else resized(image, self._size)
        return map_item([(image, self.sensor.indices)], labels, self._augment)

    def sample_id(self, index: int) -> str:
        """Return the name of the image."""
        return self.names[index]


def _files(root: Path, name: str) -> tuple[Path, Path]:
    return root / "images" / f"{name}.tif", root / "labels" / f"{name}.tif"


def _listed(root: Path, split: str) -> list[str]:
    """Return the names of a split, all of which have an image and labels."""
    path = root / f"{split}.txt"
    if not path.is_file():
        raise DataError(
            f"{path}: there is no such split list; write it, with the name of an image in each "
            "line, or correct root"
        )
    names = _names(path)
    if not names:
        raise DataError(f"{path}: the list is empty; write the names of images into it")
    if double := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f"{path}: names {double[0]} twice; remove one of the lines")
    for name in names:
        if "/" in name:
            raise DataError(f"{path}: {name} is in a folder; put all images into images/")
        if missing := next((file for file in _files(root, name) if not file.is_file()), None):
            raise DataError(f"{path}: names {name}, but there is no {missing}; correct the list")
    for other in SPLITS:
        others = root / f"{other}.txt"
        if other == split or not others.is_file():
            continue
        if shared := sorted(set(names).intersection(_names(others))):
            raise DataError(
                f"{path} and {others.name} share {len(shared)} images, such as {shared[0]}; remove "
                "them from one"
            )
    return names


def _names(path: Path) -> list[str]:
    return [line.strip().removesuffix(".tif") for line in read_lines(path)]
