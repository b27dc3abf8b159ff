"""Pairs of images of one place by two sensors, from one or several sets."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.sensor_pairs.footprint import check_same_place, read_placed
from openstl_ext.datasets.sensor_pairs.pair_list import Names, PairSet
from openstl_ext.datasets.sensors.augmentation import (
    Box,
    check_augment,
    cropped,
    cropped_at_random,
    flipped_and_turned,
)
from openstl_ext.datasets.sensors.images import as_inputs
from openstl_ext.datasets.sensors.sensor import FOLDER, Sensor
from openstl_ext.datasets.synthetic.marker import is_marked
from openstl_ext.datasets.synthetic.sensor_scenes import write_toy
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.registry import DATASETS
from openstl_ext.spectrum import Spectrum
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.text_file import read_lines
from openstl_ext.value_types import ImageSize, Share

NUM_PROBED = 1000
"""Pairs of a set whose files are looked up at the start; a read looks up each."""


@final
@DATASETS.register_module()
class SensorPairs(SequenceDataset):
    """Two images of one place, each by a sensor of its own, without targets.

    Files:
        For each set a list of pairs, by default ``<set root>/<split>.txt``, one pair of paths per
        line, relative to the root of the set, with a blank or a tab between them. An image is a
        GeoTIFF, a JPEG or PNG, or a folder with a GeoTIFF for each band (``<patch>_B01.tif`` ... as
        in BigEarthNet). Both images of a pair cover the same footprint, with any numbers of pixels.
        ``openstl-ext data pair-sensors`` writes the lists of fMoW and BigEarthNet.

    Channels and units:
        Bands as named by the sensors, clipped and standardised by their tables, without unit.
        Channel c of a frame is another band in each sensor; ``bands`` has their indices.

    Splits:
        A list for each. A pair, or one image of it, in two splits is an error before training.

    Licence:
        That of your images.

    Args:
        root: Folder of the sets.
        split: One of train, val, test.
        pairs: The sets: dicts with ``name``, ``sensors`` (two names of tables or JSON files) and,
            if needed, ``root``, ``list`` and ``bands``; see ``PairSet``.
        image_size: Height and width to which images are resampled, in pixels.
        augment: Crop both images to the same random part, flip and turn them; for training.
        crop_area: Smallest and largest share of the area of such a part; (1, 1) keeps the scale.
        in_memory: Keep each image, normalised, after it has been read; for small sets. Each worker
            process keeps its own.
        spectrum: JSON file of the model's spectrum; the published one if not given. Ranges that a
            sensor adds are numbered in the order of the sets.

    Shape:
        - ``item["inputs"]["frames"]``: (2, C, H, W); ``bands``: (2, C). Missing bands of the sensor
          with fewer are 0 and ``ABSENT``. In training C is that of the set, and the batches have
          pairs of one set; in other splits, that of the widest set.

    Raises:
        DatasetNotFoundError: If a list is missing; it gives the command that writes one.
        DataError: If a file of a pair is missing or damaged, or both show different places.
        ConfigError: If an entry of ``pairs`` is wrong, or ``augment`` is set outside training.

    Source:
        SMARTIES, pre-training data. https://github.com/gsumbul/SMARTIES

    Deviations:
        Upstream takes the sensor from the number of channels; here it is named. Upstream
        concatenates the sets, so batches mix them.
    """

    card = Card(marks=(("*/train.txt",), ("fmow_*.txt",), ("bigearthnet_*.txt",)), is_own=True)

    def __init__(
        self,
        *,
        root: str = "data/sensor_pairs",
        split: str,
        pairs: Sequence[Mapping[str, Any]],
        image_size: ImageSize = 224,
        augment: bool = False,
        crop_area: tuple[Share, Share] = (0.25, 1.0),
        in_memory: bool = False,
        spectrum: str | None = None,
    ) -> None:
        self.split = self.check_split(split)
        check_augment(augment, split)
        if not 0 < crop_area[0] <= crop_area[1] <= 1:
            raise ConfigError(f"crop_area is {tuple(crop_area)}; 0 < smallest <= largest <= 1")
        self.root, self.image_size, self.augment = Path(root), image_size, augment
        self.crop_area = crop_area
        self._kept: dict[int, list[np.ndarray]] | None = {} if in_memory else None
        self.sets = [PairSet.of(entry, f"pairs[{k}]") for k, entry in enumerate(pairs)]
        names = [pair_set.name for pair_set in self.sets]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"pairs has the sets {names}; give at least one, and each a name")
        self.sensors = _sensors(self.sets, Spectrum.read(spectrum) if spectrum else Spectrum.read())
        self.sensor_bands = {
            name: band
            for both in self.sensors
            for sensor in both
            for name, band in sensor.named_bands.items()
        }
        self._indices = [tuple(sensor.indices for sensor in both) for both in self.sensors]
        lists = [pair_set.read(self.root, split) for pair_set in self.sets]
        for pair_set, found in zip(self.sets, lists, strict=True):
            pair_set.check_others(self.root, split, found)
        # bytes in one array: workers would copy strings, whose counts of references they change
        self._names = [np.array([[n.encode() for n in pair] for pair in found]) for found in lists]
        self._ends = np.cumsum([len(found) for found in lists])
        self.width = max(len(s.bands) for both in self.sensors for s in both)
        if split == "train":
            self.groups = [
                name for name, found in zip(names, lists, strict=True) for _ in range(len(found))
            ]
        self._probe()
        folders = [self.root, *(self.root / pair_set.root for pair_set in self.sets)]
        self.metainfo = Metainfo(
            name="sensor_pairs",
            channels=tuple(Channel(f"band_{k + 1}") for k in range(self.width)),
            synthetic=any(map(is_marked, folders)),
        )

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write two synthetic sets, ``optical`` and ``radar``, of a few small pairs."""
        write_toy(root)

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return the sets below a folder whose images are in folders named by their sensors.

        Other sets do not state their sensors.
        """
        published = {path.stem for path in FOLDER.glob("*.json")}
        pairs = []
        for file in sorted(root.glob("*/train.txt")):
            line = (read_lines(file) or [""])[0].split()
            sensors = tuple(path.partition("/")[0] for path in line)
            if len(sensors) == 2 and published.issuperset(sensors):
                name = file.parent.name
                pairs.append({"name": name, "root": name, "sensors": sensors})
        return {"pairs": tuple(pairs)} if pairs else {}

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Item:
        number = self._pair(index)[0]
        images = None if self._kept is None else self._kept.get(index)
        if images is None:
            images = self._read(index)
            if self._kept is not None:
                self._kept[index] = images
        if self.augment:
            images = flipped_and_turned(
                cropped_at_random(images, self.image_size, area=self.crop_area)
            )
        else:
            images = [cropped(image, Box(), self.image_size) for image in images]
        width = 0 if self.groups is not None else self.width
        inputs = as_inputs(list(zip(images, self._indices[number], strict=True)), num_bands=width)
        return {"inputs": inputs, "data_samples": {}}  # type: ignore[typeddict-item]

    def _read(self, index: int) -> list[np.ndarray]:
        """Read and normalise both images of a pair."""
        number, names = self._pair(index)
        sensors = self.sensors[number]
        paths = self._paths(number, names)
        _check_present(self.sets[number].name, paths)
        placed = [read_placed(path, sensor) for path, sensor in zip(paths, sensors, strict=True)]
        check_same_place(paths, placed[0][1], placed[1][1])
        return [
            sensor.normalise(values, str(path))
            for sensor, path, (values, _) in zip(sensors, paths, placed, strict=True)
        ]

    def sample_id(self, index: int) -> str:
        """Return the set, the names of both files, shortened, and a hash of their paths."""
        number, names = self._pair(index)
        short = "-".join(_word(Path(name).stem)[-44:] for name in names)
        return f"{self.sets[number].name}-{short}-{_digest(names)}"

    def frame_ids(self, index: int) -> Sequence[str]:
        """Return the paths of both images, which no other split may have."""
        number, names = self._pair(index)
        return [f"{self.sets[number].root}/{name}" for name in names]

    def _pair(self, index: int) -> tuple[int, Names]:
        """Return the number of the set of a sample, and its paths."""
        index = range(len(self))[index]
        number = int(np.searchsorted(self._ends, index, side="right"))
        first, second = self._names[number][index - self._ends[number]]
        return number, (first.decode(), second.decode())

    def _paths(self, number: int, names: Names) -> tuple[Path, Path]:
        folder = self.root / self.sets[number].root
        return folder / names[0], folder / names[1]

    def _probe(self) -> None:
        """Look up the files of some pairs, so that a missing folder ends the run at its start."""
        for number, found in enumerate(self._names):
            for first, second in found[:: -(-len(found) // NUM_PROBED)]:
                paths = self._paths(number, (first.decode(), second.decode()))
                _check_present(self.sets[number].name, paths)


def _sensors(sets: Sequence[PairSet], spectrum: Spectrum) -> list[tuple[Sensor, Sensor]]:
    """Return both sensors of each set, in one spectrum."""
    found = []
    for pair_set in sets:
        both = []
        for name, bands in zip(pair_set.sensors, pair_set.bands, strict=True):
            sensor = Sensor.read(name, spectrum)
            spectrum = sensor.spectrum  # two sensors of a user have bands of different indices
            both.append(sensor if bands is None else sensor.select(bands))
        found.append((both[0], both[1]))
    return found


def _check_present(name: str, paths: tuple[Path, Path]) -> None:
    for path, other in (paths, paths[::-1]):
        if not path.exists():
            raise DataError(
                f"the set {name}: {path}, which is paired with {other}, does not exist; fetch it, "
                "or remove the pair from the list"
            )


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "_", text)


def _digest(names: Names) -> str:
    return hashlib.blake2b("\n".join(names).encode(), digest_size=5).hexdigest()
