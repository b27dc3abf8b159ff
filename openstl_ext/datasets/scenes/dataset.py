"""Base class of sets of scenes: one image and one class a sample."""

from abc import ABC
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.scenes.files import SceneFacts, SceneFolders
from openstl_ext.datasets.scenes.split_lists import read_split, rule_of
from openstl_ext.datasets.sensors.augmentation import (
    check_augment,
    cropped_at_random,
    flipped_and_turned,
)
from openstl_ext.datasets.sensors.images import as_inputs, read_image, read_picture, resized
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.datasets.synthetic.marker import described
from openstl_ext.errors import DataError
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import ImageSize

Augment = Literal["flips", "crops"]


class SceneDataset(SequenceDataset, ABC):
    """Base class of sets of scenes: an image of one sensor as input, its class as target.

    Values are clipped and normalised by the table of the sensor, then resampled.

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        split_lists: Rule of the split lists; the first of the set if not given.
        sensor: Table of the bands, by its name or as a JSON file; the published one of the set if
            not given. It may list the bands in another order than the files, but must have each.
        bands: Names of the bands, in order; the used ones of the table if not given.
        image_size: Side of the image in pixels; None keeps the image as it is in the file.
        augment: ``flips`` mirrors and rotates by quarter turns, all eight equally likely; ``crops``
            cuts out a quarter to all of the image before; for training.

    Shape:
        - ``item["inputs"]``: frames (1, C, image_size, image_size); bands (1, C), the index of the
          projection of each band.
        - ``item["data_samples"]``: labels (), int64.

    Raises:
        DataError: If images or a split list are missing or do not fit each other.
        ConfigError: If an argument does not exist for the set, or ``augment`` is not for training.
    """

    facts: ClassVar[SceneFacts]

    def __init__(
        self,
        *,
        root: str,
        split: str,
        split_lists: str | None = None,
        sensor: str | None = None,
        bands: Sequence[str] | None = None,
        image_size: ImageSize | None = 224,
        augment: Augment | None = None,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        facts = self.facts
        self.sensor = sensor_of_files(facts, sensor or facts.sensor)
        if bands is not None:
            self.sensor = self.sensor.select(bands)
        self.sensor_bands = self.sensor.named_bands
        rule = rule_of(facts, split_lists)
        self.scenes = read_split(SceneFolders(Path(root), facts), rule, split)
        self.image_size, self.augment = image_size, augment
        self.metainfo = described(
            Metainfo(
                name=facts.name if rule == next(iter(facts.lists)) else f"{facts.name}_{rule}",
                channels=tuple(Channel(band.name) for band in self.sensor.bands),
                classes=facts.class_words,
            ),
            Path(root),
        )

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return arguments that keep the size of the images."""
        del root
        return {"image_size": None}

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Item:
        scene = self.scenes[index]
        read = read_picture if self.facts.is_picture else read_image
        image = self.sensor.normalise(read(scene.path, self.sensor), str(scene.path))
        if self.augment == "crops":
            (image,) = cropped_at_random([image], self.image_size or min(image.shape[1:]))
        elif self.image_size is not None:
            fit = centre_cropped if self.facts.is_cropped else resized
            image = fit(image, self.image_size, order=self.facts.order)
        if self.augment:
            (image,) = flipped_and_turned([image])
        inputs = as_inputs([(image, self.sensor.indices)])
        return {
            "inputs": {"frames": inputs["frames"], "bands": inputs["bands"]},
            "data_samples": {"labels": torch.tensor(scene.label)},
        }

    def sample_id(self, index: int) -> str:
        """Return the class and the number of the image."""
        return self.scenes[index].id


def sensor_of_files(facts: SceneFacts, name: str) -> Sensor:
    """Read a table of bands and bring it into the order of the files of a set.

    Raises:
        DataError: If there is no such table, or its bands are not those of the files.
    """
    sensor = Sensor.read(name)
    order = [band.name for band in Sensor.read(facts.sensor).all_bands]
    if {band.name for band in sensor.all_bands} != set(order):
        theirs = ", ".join(band.name for band in sensor.all_bands)
        raise DataError(
            f"sensor {sensor.name}: has the bands {theirs}, but the files of {facts.title} have "
            f"{', '.join(order)}; name them all, and select some by bands"
        )
    by_name = {band.name: band for band in sensor.all_bands}
    chosen = [band.name for band in sensor.bands]
    ordered = replace(sensor, all_bands=tuple(by_name[name] for name in order))
    return ordered.select(sorted(chosen, key=order.index))


def centre_cropped(image: np.ndarray, size: int, *, order: int) -> np.ndarray:
    """Resample so that the shorter side is 256/224 of the size, and cut out the centre.

    Shape:
        - image: (C, H, W); returns: (C, size, size).
    """
    height, width = image.shape[1:]
    scale = size * 256 / 224 / min(height, width)
    image = resized(image, (round(height * scale), round(width * scale)), order=order)
    top, left = ((side - size) // 2 for side in image.shape[1:])
    return image[:, top : top + size, left : left + size]
