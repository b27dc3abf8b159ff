"""DynamicEarthNet: land cover of a month from images of its days."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.base import SPLITS, SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.dynamic_earth_net.files import LISTS, Month, check_images, find_months
from openstl_ext.datasets.label_maps import (
    IGNORED,
    Augment,
    draw_window,
    map_item,
)
from openstl_ext.datasets.sensors.augmentation import check_augment
from openstl_ext.datasets.sensors.images import read_window, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.class_maps import (
    draw_classes,
    paint,
    random_levels,
    write_raster,
)
from openstl_ext.datasets.synthetic.marker import described, mark
from openstl_ext.errors import DataError
from openstl_ext.rasters.opening import rasterio
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import ImageSize

CLASSES = (
    *("impervious_surface", "agriculture", "forest_and_other_vegetation", "wetlands", "soil"),
    *("water", "snow_and_ice"),
)
DAYS = {"weekly": (1, 5, 10, 15, 20, 25), "single": (1,)}
MARKED = 255
"""Value of the channel of a pixel's class; that of the other channels is 0."""


@final
@DATASETS.register_module()
class DynamicEarthNet(SequenceDataset):
    """Images of some days of a month as a series, and the land cover at its beginning.

    Files:
        - ``dynnet_training_splits/{train,val,test}.txt``: in each line the folder of images, the
          label and the month of a sample, as published, with paths of the authors' disk;
        - ``planet/<zone>/<tile>/<area>/PF-SR/<yyyy-mm-dd>.tif``: blue, green, red and near
          infrared, uint16, 1024 x 1024 pixels of 3 m;
        - ``labels/<area>_<zone>/Labels/Raster/<name>/<name>-<date>.tif``: seven channels, 255 in
          that of the pixel's class, else 0. The label of a month is found by its date, which is
          written in two ways. Those of val and test may be in ``dynamicearthnet_test_labels/``.

    Channels and units:
        Four bands of Planet Fusion, surface reflectance times 10,000, normalised.

    Splits:
        The published lists, which divide the areas.

    Licence:
        See the publisher, https://mediatum.ub.tum.de/1650201

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        bands: Names of the bands, in order; all four if not given.
        days: ``weekly``: days 1, 5, 10, 15, 20 and 25 of the month (T = 6); ``single``: day 1.
        num_classes: 6 ignores snow and ice, as in the publication; 7 has it as a class. Scores of
            the two cannot be compared.
        sensor: Table of the bands. The published one takes the projections of Sentinel-2, to which
            the product is harmonised; another choice is a file of your own.
        crop_size: Side of a square that is drawn from each training image, in pixels; None takes
            whole images. Evaluation takes whole images.
        image_size: Side to which images are resampled (bicubic), in pixels; None keeps it. Labels
            keep their size.
        augment: ``flips`` flips and turns training images with their labels.

    Shape:
        - ``item["inputs"]``: frames (T, C, h, w), oldest first, bands (T, C).
        - ``item["data_samples"]``: labels and valid (H, W).

    Raises:
        DataError: If there is no list, or files that it names are missing, or have other bands,
            sizes or values.
        ConfigError: If ``crop_size`` is larger than an image.

    Source:
        Toker et al., DynamicEarthNet, CVPR 2022; https://github.com/aysim/dynnet

    Deviations:
        The published reader gives class 0 to a pixel without a class; here it is not valid, as is
        one with several. Its input of all days is not offered.
    """

    card = Card(
        marks=(("dynnet_training_splits/*.txt",), ("planet/*/*/*/PF-SR",)),
        shape="6 x 4 x 1024 x 1024",
        note="75 areas of 24 months, so 1,800 labels.",
    )
    metainfo = Metainfo(name="dynamic_earth_net", channels=(), classes=CLASSES[:6])
    flag_refusals = {"frames_in": "its argument days chooses the images"}

    def __init__(
        self,
        *,
        root: str = "data/dynamic_earth_net",
        split: str,
        bands: Sequence[str] | None = None,
        days: Literal["weekly", "single"] = "weekly",
        num_classes: Literal[6, 7] = 6,
        sensor: str = "planet_fusion",
        crop_size: ImageSize | None = 224,
        image_size: ImageSize | None = None,
        augment: Augment | None = None,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        table = Sensor.read(sensor)
        self.sensor = table.select(bands) if bands else table
        self.months = find_months(Path(root), split)
        self.days = DAYS[days]
        check_images(self.months, self.days)
        self._crop = crop_size if split == "train" else None
        self._size, self._augment = image_size, augment
        self.metainfo = described(
            Metainfo(
                name="dynamic_earth_net",
                channels=tuple(Channel(band.name) for band in self.sensor.bands),
                classes=CLASSES[:num_classes],
            ),
            Path(root),
        )

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write an area of two months for each split, 32 x 32 pixels, with dates of both kinds."""
        mark(root, "DynamicEarthNet")
        rng = np.random.default_rng(0)
        levels = random_levels(rng, len(CLASSES), [300] * 3 + [700], [1500, 1900, 2500, 4200])
        for number, split in enumerate(SPLITS):
            lines = []
            for month in ("2018-01", "2018-06"):
                area, name = f"131{number}_3077_13", f"1{number}N-122W-40N-L3H-SR"
                images = f"1{number}N/23E-188N/{area}/PF-SR"
                date = f"{month}-01" if month == "2018-06" else f"{month}-01".replace("-", "_")
                label = f"labels/{area}_1{number}N/Labels/Raster/{name}/{name}-{date}.tif"
                classes = draw_classes(rng, 32, len(CLASSES))
                for day in DAYS["weekly"]:
                    image = np.rint(paint(rng, classes, levels, 0.03)).clip(1, 10000)
                    path = root / "planet" / images / f"{month}-{day:02d}.tif"
                    write_raster(path, image.astype(np.uint16))
                marked = classes == np.arange(len(CLASSES))[:, None, None]
                write_raster(root / label, np.where(marked, MARKED, 0).astype(np.uint8))
                # the published lists have one kind of date only
                listed = label.replace(date, f"{month}-01".replace("-", "_"))
                lines.append(f"/reprocess-cropped/UTM-24000/{images} /{listed} {month}\n")
            atomic_write(root / LISTS / f"{split}.txt", "".join(lines).encode())

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return arguments that read whole images."""
        del root
        return {"crop_size": None}

    def __len__(self) -> int:
        return len(self.months)

    def __getitem__(self, index: int) -> Item:
        month = self.months[index]
        raster = RasterFile(month.label)
        height, width = raster.dataset.shape
        window = Window(0, 0, height, width)
        if self._crop is not None:
            window = draw_window(height, width, self._crop, month.label)
        labels = _classes(raster, window, len(self.metainfo.classes))
        raster.dataset.close()
        images = [self._image(month, day, (height, width), window) for day in self.days]
        return map_item([(image, self.sensor.indices) for image in images], labels, self._augment)

    def _image(
        self, month: Month, day: int, shape: tuple[int, int], window: Window
    ) -> NDArray[np.float32]:
        path = month.image(day)
        raster = RasterFile(path)
        if raster.dataset.shape != shape:
            raise DataError(
                f"{path}: size is {raster.dataset.shape}, expected {shape} as of {month.label}; "
                "unpack the set again"
            )
        values = read_window(raster, self.sensor, window)
        raster.dataset.close()
        image = self.sensor.normalise(values, str(path))
        return image if self._size is None else resized(image, self._size)

    def sample_id(self, index: int) -> str:
        """Return area and month."""
        month = self.months[index]
        return f"{month.area}_{month.month}"

    def block_id(self, index: int) -> str:
        """Return the area: its months depend on each other."""
        return self.months[index].area


def _classes(raster: RasterFile, window: Window, num_classes: int) -> NDArray[np.int64]:
    """Read the class of each pixel; -1 where no or several channels are marked, or one too many.

    Channels are read without masks and nodata values: 0 and 255 are both data.
    """
    if raster.dataset.count != len(CLASSES):
        raise DataError(
            f"{raster.path}: has {raster.dataset.count} channels, expected {len(CLASSES)} of 0 and "
            f"{MARKED}, one for each class; unpack the published labels"
        )
    rows, columns = window.slices
    place = ((rows.start, rows.stop), (columns.start, columns.stop))
    try:
        stored = raster.dataset.read(window=place)
    except rasterio().errors.RasterioError as error:
        raise DataError(f"{raster.path}: cannot be read: {error.__cause__ or error}") from None
    marked = stored == MARKED
    if not (marked | (stored == 0)).all():
        odd = stored[~marked & (stored != 0)][0]
        raise DataError(
            f"{raster.path}: has the value {odd}, expected 0 or {MARKED} in each channel; unpack "
            "the published labels"
        )
    classes = marked.argmax(axis=0)
    return np.where((marked.sum(axis=0) == 1) & (classes < num_classes), classes, IGNORED)
