"""SICKLE: crop types of plots in the Cauvery delta, from a season of images of three sensors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.label_maps import (
    IGNORED,
    Augment,
    ValFraction,
    map_item,
)
from openstl_ext.datasets.sensors.augmentation import check_augment
from openstl_ext.datasets.sickle.scenes import SeriesReader, nearest_pixels, scenes_of_season
from openstl_ext.datasets.sickle.table import Chip, read_part
from openstl_ext.datasets.sickle.toy import write_toy
from openstl_ext.datasets.synthetic.marker import described
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count, ImageSize

SensorName = Literal["S1", "S2", "L8"]
NUM_LAYERS = 6
"""Plot, crop, days of sowing, transplanting and harvest, yield."""
PADDY, LAST_CROP = 1, 21


@final
@DATASETS.register_module()
class SICKLE(SequenceDataset):
    """Images of a season around a plot, and whether each pixel of the plots of the split is paddy.

    Files:
        - ``sickle_dataset_tabular.csv``, from which UNIQUE_ID, PLOT_ID, STANDARD_SEASON, YEAR and
          SPLIT are read;
        - ``images/{S1,S2,L8}/npy/<UNIQUE_ID>/<scene>.npz`` with an array for each band; the date
          is in the name;
        - ``masks/{3m,10m,30m}/<UNIQUE_ID>.tif``: six layers, of which plot and crop are read.

    Channels and units:
        S1: VV and VH in dB; S2: B1 to B12 without B10, surface reflectance times 10,000; L8:
        stored numbers of SR_B1 to SR_B7 and ST_B10. Normalised. 0 and values that are not finite
        are missing: 0, the mean. So is ST_B10 in files without it.

    Splits:
        Labels of the published test are withheld, and its authors recommend val. So ``test`` has
        the plots of the published val; ``val`` has a tenth of the plots of the published train,
        evenly spread over their numbers. A chip shows plots of several splits: pixels of plots of
        another split are not valid, and a name of a sample contains its split.

    Licence:
        None is stated; see https://github.com/Depanshu-Sani/SICKLE

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        sensors: Sensors of the series, one or several of S1, S2 and L8.
        bands: Names of the bands by sensor, as in ``dict(S2=["B02", "B03"])``; all of a sensor
            without an entry.
        num_dates: Number of images of each sensor: the season of 184 days is divided into as many
            parts, and the usable image nearest to the middle of each is taken. An image is usable
            if less than a quarter of its first band is missing. One image may be taken for
            several parts; if none is usable, all values are missing.
        image_size: Side to which images and labels are resampled by the nearest pixel.
        mask_resolution: Resolution of the labels, as in the name of their folder.
        augment: ``flips`` flips and turns training images with their labels.
        val_fraction: Share of the training plots that validation gets.

    Shape:
        - ``item["inputs"]``: frames (T, C, image_size, image_size) and bands (T, C): ``num_dates``
          images of the first sensor, oldest first, then those of the next.
        - ``item["data_samples"]``: labels and valid (image_size, image_size).

    Raises:
        DataError: If the table, or images or labels of a row are missing, damaged or of another
            form.
        ConfigError: If no sensor is named, one twice, or ``bands`` has another.

    Source:
        Sani et al., SICKLE, WACV 2024, arXiv 2312.00069; https://github.com/Depanshu-Sani/SICKLE

    Deviations:
        The published reader takes all images of a season and fills the batch with zeros; it trains
        on the published train and reports val.
    """

    card = Card(
        marks=(("sickle_dataset_tabular.csv",),),
        note="2,370 series of 388 plots, about 209,000 images of three sensors.",
    )
    metainfo = Metainfo(name="sickle", channels=(), classes=("paddy", "non_paddy"))
    flag_arguments = {"frames_in": "num_dates"}

    def __init__(
        self,
        *,
        root: str = "data/sickle",
        split: str,
        sensors: Sequence[SensorName] = ("S2",),
        bands: Mapping[str, Sequence[str]] | None = None,
        num_dates: Count = 12,
        image_size: ImageSize = 32,
        mask_resolution: Literal["3m", "10m", "30m"] = "10m",
        augment: Augment | None = None,
        val_fraction: ValFraction = 0.1,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        bands = bands or {}
        if not sensors or len(set(sensors)) < len(sensors) or set(bands) - set(sensors):
            raise ConfigError(
                f"sensors are {list(sensors)} and bands those of {list(bands)}; name each sensor "
                "once, and bands only of these"
            )
        self.root = Path(root)
        self.part = read_part(self.root, split, val_fraction)
        self._size, self._augment = image_size, augment
        self._masks = self.root / "masks" / mask_resolution
        self.readers = [
            SeriesReader(name, bands.get(name), num_dates=num_dates, size=image_size)
            for name in sensors
        ]
        for chip in self.part.chips:
            self._check(chip)
        most = max((reader.sensor.bands for reader in self.readers), key=len)
        channels = tuple(Channel(band.name) for band in most)
        named = Metainfo(name="sickle", channels=channels, classes=self.metainfo.classes)
        self.metainfo = described(named, self.root)

    def _check(self, chip: Chip) -> None:
        """Reject a row without labels or without images of any sensor."""
        if not self._mask(chip).is_file():
            raise DataError(f"{self._mask(chip)}: there is no such label; unpack the set again")
        folders = [self._folder(reader, chip) for reader in self.readers]
        if not any(folder.is_dir() for folder in folders):
            raise DataError(f"{folders[0]}: there is no such folder; unpack the set again")

    def _folder(self, reader: SeriesReader, chip: Chip) -> Path:
        return self.root / "images" / reader.name / "npy" / chip.name

    def _mask(self, chip: Chip) -> Path:
        return self._masks / f"{chip.name}.tif"

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write six chips of four dates, each with plots of two splits."""
        write_toy(root)

    def __len__(self) -> int:
        return len(self.part.chips)

    def __getitem__(self, index: int) -> Item:
        chip = self.part.chips[index]
        images: list[tuple[np.ndarray, Sequence[int]]] = []
        found = 0
        for reader in self.readers:
            folder = self._folder(reader, chip)
            scenes = scenes_of_season(folder, reader.name, chip.start)
            found += len(scenes)
            images += [(image, reader.sensor.indices) for image in reader.read(scenes, folder)]
        if not found:
            raise DataError(
                f"{self._folder(self.readers[0], chip)}: no image of the season from {chip.start} "
                "on; unpack the set again, or remove the row of the table"
            )
        return map_item(images, self._labels(chip), self._augment)

    def sample_id(self, index: int) -> str:
        """Return UNIQUE_ID and split, because each split has other pixels of a chip."""
        return f"{self.part.chips[index].name}_{self.split}"

    def block_id(self, index: int) -> str:
        """Return the plot: its seasons depend on each other."""
        return f"plot_{self.part.chips[index].plot}"

    def _labels(self, chip: Chip) -> NDArray[np.int64]:
        """Read the class of the pixels of this split; -1 for all others."""
        path = self._mask(chip)
        raster = RasterFile(path, codes=True)
        height, width = raster.dataset.shape
        if raster.dataset.count != NUM_LAYERS:
            raise DataError(
                f"{path}: has {raster.dataset.count} layers, expected {NUM_LAYERS}, of which the "
                "first are plot and crop; unpack the set again"
            )
        layers = raster.read([1, 2], Window(0, 0, height, width), nodata=[None] * 2)
        raster.dataset.close()
        plot, crop = nearest_pixels(np.nan_to_num(layers), self._size)
        if not np.isin(crop, range(LAST_CROP + 1)).all():
            odd = crop[~np.isin(crop, range(LAST_CROP + 1))][0]
            raise DataError(
                f"{path}: has the crop {odd:g}, expected 0 for none, {PADDY} for paddy, or up to "
                f"{LAST_CROP}; unpack the set again"
            )
        own = np.isin(plot, list(self.part.plots)) & (crop > 0)
        return np.where(own, crop != PADDY, IGNORED).astype(np.int64)
