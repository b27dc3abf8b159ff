"""Scenes of a user: folders of classes, lists of splits, and the table of any sensor."""

from collections.abc import Sequence
from pathlib import Path
from typing import final

from openstl_ext.datasets.card import Card
from openstl_ext.datasets.remedies import command_for_scenes
from openstl_ext.datasets.scenes.dataset import Augment, SceneDataset
from openstl_ext.datasets.scenes.files import SceneFacts
from openstl_ext.datasets.synthetic.sensor_scenes import View, write_classes
from openstl_ext.errors import DataError, DatasetNotFoundError, nearest
from openstl_ext.leftovers import entries
from openstl_ext.registry import DATASETS
from openstl_ext.value_types import ImageSize


@final
@DATASETS.register_module()
class Scenes(SceneDataset):
    """Your own scenes of any sensor, with one class each.

    Files:
        ``<root>/<class>/<image>``, GeoTIFFs or pictures, and a list for each split,
        ``<root>/<split>.txt``, with one path below the root in each line.

    Channels and units:
        Those of the sensor, normalised by its table.

    Splits:
        Those of the lists. An image is in one list only.

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        sensor: Table of the bands, by its name or as a JSON file.
        classes: Names of the folders, in the order of the class ids; by default all folders with
            images, in alphabetical order.
        suffix: End of the names of the images; the case does not matter.
        name: Name in tables; that of the folder by default.
        bands: Names of the bands, in order; the used ones of the table if not given.
        image_size: Side of the image in pixels; None keeps the image as it is in the file.
        augment: ``flips`` or ``crops``, for training; see ``SceneDataset``.

    Raises:
        DataError: If images or a list are missing or do not fit each other.
        ConfigError: If ``augment`` is not for training.
    """

    card = Card(marks=(("*/*.*", "train.txt"),), is_own=True)

    def __init__(
        self,
        *,
        root: str,
        split: str,
        sensor: str,
        classes: Sequence[str] | None = None,
        suffix: str = ".tif",
        name: str | None = None,
        bands: Sequence[str] | None = None,
        image_size: ImageSize | None = 224,
        augment: Augment | None = None,
    ) -> None:
        folder = Path(root)
        present = _classes(folder, suffix)
        found = tuple(classes or present)
        for class_name in found:
            if class_name not in present:
                raise DataError(
                    f"{folder}: the class {class_name!r} is no folder with files *{suffix}; "
                    f"{nearest(class_name, present)} Correct classes"
                )
        self.facts = SceneFacts(  # type: ignore[misc]
            name=name or folder.resolve().name,
            title=str(folder),
            folders=(".",),
            classes=found,
            suffix=suffix.lower(),
            sensor=sensor,
            lists={"own": "{split}.txt"},
            source="your own",
            is_cropped=False,
        )
        super().__init__(
            root=root, split=split, bands=bands, image_size=image_size, augment=augment
        )

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write few small scenes of Sentinel-2."""
        counts = {"train": 10, "val": 5, "test": 5}
        write_classes(root, View("sentinel2_l2a", 20), counts)


def _classes(root: Path, suffix: str) -> list[str]:
    if not root.is_dir():
        if prepare := command_for_scenes(root):
            raise DatasetNotFoundError(root, prepare=prepare)
        raise DataError(f"{root}: there is no such folder; correct root")
    names = [
        path.name
        for path in entries(root)
        if path.is_dir() and any(e.name.lower().endswith(suffix.lower()) for e in entries(path))
    ]
    if len(names) < 2:
        raise DataError(
            f"{root}: has {len(names)} folders with files *{suffix}; two classes or more are "
            "needed, each a folder"
        )
    return sorted(names)
