"""DFC2020: land cover of patches, from the file of the CROMA benchmarks or the original folders."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.dfc2020.patch_folders import PatchFolders, is_patch_folders
from openstl_ext.datasets.dfc2020.tensor_file import FILE, NUM_BANDS, TensorFile
from openstl_ext.datasets.label_maps import (
    IGNORED,
    Augment,
    ValFraction,
    class_indices,
    map_item,
)
from openstl_ext.datasets.sensors.augmentation import check_augment
from openstl_ext.datasets.sensors.images import read_image, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.class_maps import draw_classes, paint, random_levels
from openstl_ext.datasets.synthetic.marker import described, mark
from openstl_ext.errors import DatasetNotFoundError
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count, ImageSize

FETCH = "hf download antofuller/CROMA_benchmarks {file} --repo-type dataset --local-dir {root}"
CLASSES = (
    *("forest", "shrubland", "grassland", "wetlands", "croplands", "urban_built_up", "barren"),
    "water",
)
RADAR = ("VV", "VH", "microwave_1", "microwave_2")
TENSOR_SENSORS = {"s2": "dfc2020", "s1": "dfc2020"}
FOLDER_SENSORS = {"s2": "sentinel2_l1c", "s1": "sentinel1_grd"}


@final
@DATASETS.register_module()
class DFC2020(SequenceDataset):
    """Sentinel-2 image of a patch, on request also Sentinel-1, and the land cover of each pixel.

    Files:
        One of two forms:

        - ``DFC_preprocessed.pt`` of the CROMA benchmarks, which SMARTIES reads: tensors
          ``train_images`` and ``validation_images``, uint8 (N, 14, 96, 96), and their ``_labels``
          (N, 96, 96) from 0 to 7, -1 without a label. Each patch of 256 pixels is cut into nine
          consecutive windows of 96 that share 16 pixels. The file is mapped into memory.
        - the original ``ROIs0000_test/`` and ``ROIs0000_validation/``, each with ``s1_*``,
          ``s2_*`` and ``dfc_*``: rasters of 256 x 256 pixels of 10 m, labels 1 to 10. Savanna (3)
          and Snow/Ice (8) are ignored, so that both forms have the same eight classes.

    Channels and units:
        The twelve bands of Sentinel-2 except B10, normalised: bytes in the file, reflectance times
        10,000 in the folders. ``VV`` and ``VH`` among ``bands`` give a second image (T = 2), of
        Sentinel-1 (bytes; dB).

    Splits:
        As in the benchmarks, training is the test part of the contest (5,128 patches) and ``test``
        its validation part (986). ``val`` is the last tenth of the patches of the training part,
        in the order of the file or of the patch numbers; all windows of a patch stay together.

    Licence:
        That of IEEE DataPort, which publishes the patches.

    Args:
        root: Folder with the file or the two folders; the file is preferred.
        split: One of train, val, test.
        bands: Names of the bands; all of Sentinel-2 if not given.
        image_size: Side to which images are resampled (bicubic), in pixels; None keeps it. Labels
            keep their size, 96 or 256.
        augment: ``flips`` flips and turns training images with their labels.
        val_fraction: Share of the training patches that validation gets.
        windows_per_patch: Number of windows of a patch in the file.

    Shape:
        - ``item["inputs"]``: frames (T, C, h, w), bands (T, C), T = 2 with Sentinel-1.
        - ``item["data_samples"]``: labels and valid (H, W).

    Raises:
        DatasetNotFoundError: If there is neither form.
        DataError: If the file has other tensors, consecutive windows are not of one patch, an
            image is missing, or a label is no class.

    Source:
        SMARTIES, reader of DFC2020, https://github.com/gsumbul/SMARTIES; the file is part of
        https://huggingface.co/datasets/antofuller/CROMA_benchmarks

    Deviations:
        SMARTIES loads all images as float32 and reports the part on which it selects the epoch.
        The order of the eight classes in the file follows that of the ten; it is not documented.
    """

    card = Card(
        marks=((FILE,), ("ROIs0000_*",)),
        samples={"train": 5_128, "test": 986},
        shape="1 x 13 x 256 x 256",
        note="val is a part of the 5,128 patches for training; the file has windows of 96 pixels.",
    )
    metainfo = Metainfo(name="dfc2020", channels=(), classes=CLASSES)

    def __init__(
        self,
        *,
        root: str = "data/dfc2020",
        split: str,
        bands: Sequence[str] | None = None,
        image_size: ImageSize | None = 224,
        augment: Augment | None = None,
        val_fraction: ValFraction = 0.1,
        windows_per_patch: Count = 9,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        folder = Path(root)
        self.patches: TensorFile | PatchFolders
        if (folder / FILE).is_file():
            self.patches = TensorFile(
                folder / FILE,
                split,
                val_fraction=val_fraction,
                windows_per_patch=windows_per_patch,
            )
        elif is_patch_folders(folder):
            self.patches = PatchFolders(folder, split, val_fraction=val_fraction)
        else:
            raise DatasetNotFoundError(folder / FILE, prepare=FETCH.format(file=FILE, root=root))
        is_file = isinstance(self.patches, TensorFile)
        self.sensors = _sensors(TENSOR_SENSORS if is_file else FOLDER_SENSORS, bands)
        if isinstance(self.patches, PatchFolders):
            self.patches.check(self.sensors)
        self._size, self._augment = image_size, augment
        most = max(self.sensors.values(), key=lambda sensor: len(sensor.bands))
        channels = tuple(Channel(band.name) for band in most.bands)
        named = Metainfo(name="dfc2020", channels=channels, classes=CLASSES)
        self.metainfo = described(named, folder)

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write two patches for training and one for the test, each of nine windows."""
        mark(root, "DFC2020")
        rng = np.random.default_rng(0)
        levels = random_levels(rng, len(CLASSES), [40] * NUM_BANDS, [215] * NUM_BANDS)
        content: dict[str, Any] = {}
        for part, count in (("train", 2), ("validation", 1)):
            images, labels = [], []
            for _ in range(count):
                classes = draw_classes(rng, 256, len(CLASSES))
                image = np.rint(paint(rng, classes, levels, 0.03)).clip(0, 255).astype(np.uint8)
                classes[:5, 100:] = IGNORED
                for row, column in np.ndindex(3, 3):
                    here = np.s_[80 * row : 80 * row + 96, 80 * column : 80 * column + 96]
                    images.append(image[:, *here])
                    labels.append(classes[here])
            content[f"{part}_images"] = torch.from_numpy(np.stack(images))
            content[f"{part}_labels"] = torch.from_numpy(np.stack(labels)).to(torch.int8)
        with atomic_file(root / FILE) as file:
            torch.save(content, file)

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return arguments that keep the size of the images."""
        del root
        return {"image_size": None}

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, index: int) -> Item:
        images = []
        if isinstance(self.patches, TensorFile):
            stored, found = self.patches.read(index)
            place = f"{self.patches.path}, {self.patches.name(index)}"
            labels = class_indices(found, CLASSES, place)
            for sensor in self.sensors.values():
                images.append((sensor.normalise(stored[list(sensor.in_file)], place), sensor))
        else:
            labels = self.patches.read_labels(index)
            for kind, sensor in self.sensors.items():
                path = self.patches.image(self.patches.labels[index], kind)
                images.append((sensor.normalise(read_image(path, sensor), str(path)), sensor))
        size = self._size
        return map_item(
            [(i if size is None else resized(i, size), sensor.indices) for i, sensor in images],
            labels,
            self._augment,
        )

    def sample_id(self, index: int) -> str:
        """Return published part, patch and window, or the name of the raster of labels."""
        return self.patches.name(index)

    def block_id(self, index: int) -> str:
        """Return the patch: its windows share pixels."""
        return self.patches.block(index)


def _sensors(tables: dict[str, str], bands: Sequence[str] | None) -> dict[str, Sensor]:
    """Return the sensor of each image with the bands that are named."""
    if bands is None:
        return {"s2": Sensor.read(tables["s2"])}
    radar = [name for name in bands if name in RADAR]
    optical = [name for name in bands if name not in RADAR]
    chosen = {}
    if optical or not radar:
        chosen["s2"] = Sensor.read(tables["s2"]).select(optical)
    if radar:
        chosen["s1"] = Sensor.read(tables["s1"]).select(radar)
    return chosen
