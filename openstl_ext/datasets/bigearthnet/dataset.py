"""BigEarthNet: classes of land cover of patches of Sentinel-2 and Sentinel-1."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import torch
from torch import Tensor

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.bigearthnet import lists, metadata
from openstl_ext.datasets.bigearthnet.lists import SplitLists
from openstl_ext.datasets.bigearthnet.nomenclature import class_words, map_labels
from openstl_ext.datasets.bigearthnet.patches import (
    FOLDERS,
    MAPS,
    TABLES,
    Patch,
    PatchFolders,
    SensorName,
    Version,
    read_band,
)
from openstl_ext.datasets.bigearthnet.toy import write_toy
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.sensors.augmentation import check_augment, draw_turns, rotated
from openstl_ext.datasets.sensors.images import as_inputs, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.marker import described
from openstl_ext.errors import ConfigError, DataError, nearest
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo, Targets
from openstl_ext.value_types import ImageSize

Augment = Literal["flips"]


class PatchDataset(SequenceDataset, ABC):
    """Base class of datasets of patches of BigEarthNet.

    Args:
        patches: The patches of a split.
        folders: Where their files are.
        tables: Table of the bands of each sensor, by sensor; the order is that of the images.
        image_size: Side of the images in pixels; None keeps 120.
        augment: ``flips`` mirrors and rotates all images and the target alike.
        name: Name of the dataset in tables.
    """

    def __init__(
        self,
        patches: Sequence[Patch],
        folders: PatchFolders,
        tables: Mapping[str, Sensor],
        *,
        image_size: int | None,
        augment: str | None,
        name: str,
    ) -> None:
        self.patches, self.folders, self.tables = patches, folders, tables
        self.image_size, self.augment = image_size, augment
        bands = [band.name for table in tables.values() for band in table.bands]
        self.metainfo = Metainfo(
            name=name, channels=tuple(map(Channel, bands)), classes=class_words()
        )

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return arguments that keep the size of the patches."""
        del root
        return {"image_size": None}

    @abstractmethod
    def target(self, patch: Patch) -> Targets:
        """Return the target of a patch."""

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, index: int) -> Item:
        patch = self.patches[index]
        images = [(self._image(patch, s), table.indices) for s, table in self.tables.items()]
        inputs, target = as_inputs(images), self.target(patch)
        frames = inputs["frames"]
        if self.augment:
            turns = draw_turns()
            frames = rotated(frames, *turns)
            for key in target.keys() & {"labels", "valid"}:
                field: Tensor = target[key]  # type: ignore[literal-required]
                if field.ndim == 2:
                    target[key] = rotated(field, *turns)  # type: ignore[literal-required]
        return {"inputs": {"frames": frames, "bands": inputs["bands"]}, "data_samples": target}

    def _image(self, patch: Patch, sensor: str) -> np.ndarray:
        name, table = patch.name(sensor), self.tables[sensor]
        values = self.folders.read(sensor, name, table)
        image = table.normalise(values, str(self.folders.folder(sensor, name)))
        return image if self.image_size is None else resized(image, self.image_size)

    def sample_id(self, index: int) -> str:
        """Return the name of the Sentinel-2 patch, or of Sentinel-1 in a list without it."""
        return self.patches[index].id


@final
@DATASETS.register_module()
class BigEarthNet(PatchDataset):
    """BigEarthNet: 19 classes of land cover, several for each patch of Sentinel-2 and Sentinel-1.

    Values are normalised by the table of each sensor, then resampled (bicubic). The image of each
    sensor is one step of ``frames``.

    Files:
        Version 1, archives of zenodo.org/records/12687186 (590,326 pairs):

        - ``BigEarthNet-v1.0/<patch>/<patch>_<band>.tif`` (SMARTIES names the folder ``S2``), 12
          bands B01 to B12 without B10, of 120, 60 or 20 pixels, and
          ``<patch>_labels_metadata.json``, whose 43 labels become 19 classes;
        - ``BigEarthNet-S1-v1.0/<patch>/<patch>_{VV,VH}.tif`` (SMARTIES: ``S1``), and the JSON;
        - the split lists.

        Version 2 (reBEN), archives of zenodo.org/records/10891137 (480,038 pairs with a split):

        - ``BigEarthNet-S2/<tile>/<patch>/``, ``BigEarthNet-S1/<scene>/<patch>/``: the same bands;
        - ``metadata.parquet`` (needs pyarrow) or its columns as ``metadata.json``.

    Channels and units:
        Sentinel-2 L2A: surface reflectance times 10,000, bands resampled bilinearly to 120 x 120.
        Sentinel-1 GRD: VV, VH in dB, float32. Normalised by the tables ``sentinel2_l2a`` and
        ``sentinel1_grd``.

    Splits:
        By ``split_lists``:

        - ``official``: version 1, ``bigearthnet-<split>.csv`` with lines ``s2,s1``, 269,695 /
          123,723 / 125,866, without snow, clouds and patches of no class. Version 2: the column
          ``split``, 237,871 / 122,342 / 119,825, split by geography.
        - ``smarties``, ``smarties_10_percent``, ``smarties_1_percent``: ``eval_splits/`` of
          SMARTIES' repository, version 1 only, for each sensor and for pairs. They are not the
          official split: a part of their test patches (named ``val`` there) is in the official
          training. There is no third part.

    Licence:
        CDLA-Permissive-1.0. Cite Sumbul et al., IGARSS 2019, and for version 2 Clasen et al.,
        arXiv 2407.03653.

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        version: 1, or 2 for reBEN.
        sensors: ``sentinel2``, ``sentinel1`` or both, in the order of the images.
        split_lists: Which split.
        removal_lists: Files below the root with a name of a Sentinel-2 patch a line, to leave out,
            such as ``patches_with_seasonal_snow.csv``.
        tables: Table of the bands of a sensor, by sensor; the published ones if not given.
        bands: Names of the bands of a sensor, by sensor; all if not given.
        image_size: Side of the images in pixels; None keeps 120.
        augment: ``flips`` mirrors and rotates by quarter turns, all images of a patch alike; for
            training.

    Shape:
        - ``item["inputs"]``: frames (T, C, image_size, image_size), T the number of sensors and C
          the largest number of bands; bands (T, C).
        - ``item["data_samples"]``: labels (19,), int64, 1 for each class of the patch.

    Raises:
        DataError: If folders, files, bands, lists or labels are missing or do not fit each other.
        ConfigError: If an argument has no meaning for the version or the lists.

    Source:
        Labels: kai-tub/bigearthnet_common@2010779. Lists:
        git.tu-berlin.de/rsim/BigEarthNet-MM_19-classes_models (``splits/<split>.csv``) and
        github.com/gsumbul/SMARTIES. Normalisation and resampling: gsumbul/SMARTIES@fc0df04,
        ``eval_datasets.py``.

    Deviations:
        torchgeo orders the bands of Sentinel-1 as VH, VV and rounds its dB to integers; here VV is
        first and fractions are kept.
    """

    card = Card(
        marks=(
            *((name,) for name in ("BigEarthNet-v1.0", "BigEarthNet-S1-v1.0")),
            *((name,) for name in ("BigEarthNet-S2", "BigEarthNet-S1")),
        ),
        shape="2 x 12 x 120 x 120",
        note=(
            "Version 1 has 269,695, 123,723 and 125,866 patches in train, val and test, "
            "version 2 has 237,871, 122,342 and 119,825."
        ),
    )

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return the version and the sensors whose folders exist, and patches as stored."""
        versions: tuple[Version, ...] = (1, 2)
        for version in versions:
            present = [
                sensor
                for sensor in TABLES
                if any((root / name).is_dir() for name in FOLDERS[version, sensor])
            ]
            if present:
                return {"version": version, "sensors": present, "image_size": None}
        return {"image_size": None}

    def __init__(
        self,
        *,
        root: str,
        split: str,
        version: Version = 1,
        sensors: Sequence[SensorName] = ("sentinel2",),
        split_lists: SplitLists = "official",
        removal_lists: Sequence[str] = (),
        tables: Mapping[str, str] | None = None,
        bands: Mapping[str, Sequence[str]] | None = None,
        image_size: ImageSize | None = 224,
        augment: Augment | None = None,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        chosen = chosen_tables(sensors, tables or {}, bands or {})
        folders = PatchFolders(Path(root), version, sensors)
        if version == 1:
            patches = lists.read_patches(Path(root), split_lists, split, sensors, removal_lists)
        elif split_lists == "official":
            patches = metadata.read_patches(Path(root), split, removal_lists)
        else:
            raise ConfigError(
                f"split_lists {split_lists!r} has names of version 1; use split_lists='official' "
                "with version 2"
            )
        lists_name = "" if split_lists == "official" else f"_{split_lists}"
        super().__init__(
            patches,
            folders,
            chosen,
            image_size=image_size,
            augment=augment,
            name=f"bigearthnet_v{version}{lists_name}",
        )
        self.metainfo = described(self.metainfo, Path(root))

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write patches of both versions with three kinds of land cover, of 24 pixels at 10 m."""
        write_toy(root)

    def target(self, patch: Patch) -> Targets:
        """Return which classes the patch has."""
        labels = torch.zeros(len(self.metainfo.classes), dtype=torch.int64)
        labels[list(self.folders.classes(patch))] = 1
        return {"labels": labels}


@final
@DATASETS.register_module()
class BigEarthNetMaps(PatchDataset):
    """BigEarthNet version 2 with its reference maps: the class of each pixel.

    Files, channels, splits, licence and arguments are those of ``BigEarthNet`` with ``version=2``,
    and ``Reference_Maps/<tile>/<patch>/<patch>_reference_map.tif`` with codes of CORINE Land Cover.

    Licence:
        That of ``BigEarthNet``: CDLA-Permissive-1.0. Cite Sumbul et al., IGARSS 2019, and for
        version 2 Clasen et al., arXiv 2407.03653.

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        sensors: ``sentinel2``, ``sentinel1`` or both, in the order of the images.
        removal_lists: Files below the root with a name of a Sentinel-2 patch a line, to leave out.
        tables: Table of the bands of a sensor, by sensor; the published ones if not given.
        bands: Names of the bands of a sensor, by sensor; all if not given.
        image_size: Side of the images in pixels; None keeps 120. The map keeps its own size.
        augment: ``flips`` mirrors and rotates images and map alike; for training.

    Shape:
        - ``item["inputs"]``: as ``BigEarthNet``.
        - ``item["data_samples"]``: labels (120, 120), int64, and valid, False where the code is in
          none of the 19 classes.

    Raises:
        DataError: If folders, files, bands or metadata are missing or do not fit each other.
        ConfigError: If an argument does not exist.

    Source:
        Codes of the classes: torchgeo.

    Deviations:
        torchgeo leaves codes without a class in the map as numbers; here they are not valid.
    """

    card = Card(
        marks=(("Reference_Maps",),),
        samples={"train": 237_871, "val": 122_342, "test": 119_825},
        shape="2 x 12 x 120 x 120",
    )

    def __init__(
        self,
        *,
        root: str,
        split: str,
        sensors: Sequence[SensorName] = ("sentinel2",),
        removal_lists: Sequence[str] = (),
        tables: Mapping[str, str] | None = None,
        bands: Mapping[str, Sequence[str]] | None = None,
        image_size: ImageSize | None = 224,
        augment: Augment | None = None,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        self.maps = Path(root) / MAPS
        if not self.maps.is_dir():
            raise DataError(
                f"{self.maps}: there is no such folder; unpack Reference_Maps.tar.zst of "
                "zenodo.org/records/10891137 there"
            )
        super().__init__(
            metadata.read_patches(Path(root), split, removal_lists),
            PatchFolders(Path(root), 2, sensors),
            chosen_tables(sensors, tables or {}, bands or {}),
            image_size=image_size,
            augment=augment,
            name="bigearthnet_v2_maps",
        )
        self.metainfo = described(self.metainfo, Path(root))

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write patches of both versions with three kinds of land cover, of 24 pixels at 10 m."""
        write_toy(root)

    def target(self, patch: Patch) -> Targets:
        """Return the class of each pixel."""
        tile = patch.s2.rsplit("_", 2)[0]
        path = self.maps / tile / patch.s2 / f"{patch.s2}_reference_map.tif"
        labels, valid = map_labels(read_band(path, codes=True)[0])
        return {"labels": torch.from_numpy(labels), "valid": torch.from_numpy(valid)}


def chosen_tables(
    sensors: Sequence[str], tables: Mapping[str, str], bands: Mapping[str, Sequence[str]]
) -> dict[str, Sensor]:
    """Read the table of each sensor and select its bands.

    Raises:
        ConfigError: If a sensor is unknown or named twice, or a table or bands are of another one.
        DataError: If a table or a band does not exist.
    """
    for sensor in sensors:
        if sensor not in TABLES:
            raise ConfigError(f"BigEarthNet has no sensor {sensor!r}; {nearest(sensor, TABLES)}")
    if not sensors or len(set(sensors)) < len(sensors):
        raise ConfigError(f"sensors is {list(sensors)}; name one or both of {', '.join(TABLES)}")
    for key, given in (("tables", tables), ("bands", bands)):
        if other := set(given) - set(sensors):
            raise ConfigError(
                f"{key} names {', '.join(sorted(other))}, but sensors is {list(sensors)}"
            )
    read = {sensor: Sensor.read(tables.get(sensor, TABLES[sensor])) for sensor in sensors}
    return {s: table.select(bands[s]) if s in bands else table for s, table in read.items()}
