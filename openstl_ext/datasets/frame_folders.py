"""Sequences with one folder per sample and one file per frame."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.boiling.prepare import BoilingSettings, generate
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.formats import loaders_file
from openstl_ext.datasets.formats.folder_split import SplitSettings, create_loaders
from openstl_ext.datasets.formats.frame_file import frame_error, frame_shape, read_frame
from openstl_ext.datasets.formats.packed import Pack
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.frame_rules import FrameRules, declared_range
from openstl_ext.loader_files import ChoiceWarning, choice_of, newest_of_several
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count, ImageSize


@final
@DATASETS.register_module()
class FrameFolders(SequenceDataset):
    """Your own sequences, of any length and shape, with one file per frame.

    Missing and truncated frames and frames of another shape are found when the dataset is built;
    values (NaN, infinity) are checked when a frame is read, or once when it is packed.

    Files:
        ``<root>/<sample>/<t>.npy``, or ``.npz`` with the array ``data``: one frame, (H, W) or
        (C, H, W), any real number type. ``<root>/<id>_loaders.json`` holds the splits; it is made
        by ``openstl-ext data split``, and those of simvp_minimal are read too.
        ``<root>/packed.npy`` and ``packed.json``, by ``openstl-ext data pack``, hold
        the same in one array, which is read many times faster.

    Channels and units:
        As stored, as float32; the arguments name them.

    Splits:
        Those of the loader file. A sample is in one split only, and no split replaces another.

    Args:
        root: Folder of the data.
        split: One of train, val, test.
        num_inputs: Number of input frames T.
        num_targets: Number of target frames T'; further frames of a sample are ignored.
        loaders: Name of the loader file, or its beginning; by default ``default_loaders.json``,
            else the newest one, with a warning.
        packed: Read the packed form if there is one that agrees with the folders.
        name: Name in tables.
        channels: Name of each channel; numbers by default.
        unit: Unit of the values.
        lead: Length of a time step and its unit.
        image_size: Side of the frames, or height and width; frames of another size are refused.

    Raises:
        DatasetNotFoundError: If the folder or its loader file does not exist.
        DataError: If a sample is incomplete; the message names file and sample.

    Deviations:
        simvp_minimal shortens the targets of a sample with too few frames, and validates on the
        test split where there is no other; both are errors here. Pickled frames are rejected.
    """

    card = Card(
        marks=((f"*{loaders_file.SUFFIX}",), ("*/0.np[yz]",), ("packed.npy", "packed.json")),
        is_own=True,
    )

    def __init__(
        self,
        *,
        root: str,
        split: str,
        num_inputs: Count = 10,
        num_targets: Count = 10,
        loaders: str | None = None,
        packed: bool = True,
        name: str = "frames",
        channels: Sequence[str] | None = None,
        unit: str = "1",
        lead: tuple[float, str] = (1, "frame"),
        image_size: ImageSize | Sequence[Count] | None = None,
    ) -> None:
        self.split = self.check_split(split)
        if min(num_inputs, num_targets) < 1:
            raise ConfigError(
                f"num_inputs={num_inputs} and num_targets={num_targets} must be at least 1"
            )
        self.num_inputs, self.num_targets = num_inputs, num_targets
        file = loaders_file.find(Path(root), loaders)
        if loaders is None and newest_of_several(Path(root)):
            warnings.warn(choice_of(file), ChoiceWarning, stacklevel=2)
        samples = [self._long_enough(s, file) for s in loaders_file.read(file, split)]
        keys = [[loaders_file.key_of(path) for path in sample] for sample in samples]
        self._ids = _unique_names([sample[0][0] for sample in keys])
        self._frame_ids = [["/".join(key) for key in sample] for sample in keys]
        self._pack: Pack | None = None
        if packed and (found := _usable_pack(file.parent, samples)):
            self._pack, self._rows, self._columns = found
            self.shape = self._pack.shape[2:]
        else:
            self._files = [[loaders_file.resolve(p, file.parent) for p in s] for s in samples]
            self.shape = _common_shape(self._files)
        if image_size is not None:
            _check_size(self.shape, image_size, root)
        given = tuple(channels or map(str, range(self.shape[0])))
        if len(given) != self.shape[0]:
            raise ConfigError(
                f"{len(given)} channel names, but {root} has {self.shape[0]} channels"
            )
        described = tuple(Channel(str(label), unit) for label in given)
        self.metainfo = Metainfo(name=name, channels=described, lead=(lead[0], lead[1]))

    @property
    def is_packed(self) -> bool:
        """Whether the dataset reads the packed form."""
        return self._pack is not None

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write eight small simulations, as single files."""
        settings = BoilingSettings(num_samples=8, num_frames=20, image_size=16)
        generate(root, settings, packed=False)
        create_loaders(root, SplitSettings(train_ratio=0.5, val_ratio=0.25))

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return the frames of the shortest sample, half of them inputs."""
        shortest = loaders_file.shortest_sample(loaders_file.find(root))
        return {"num_inputs": shortest // 2, "num_targets": shortest - shortest // 2}

    @classmethod
    def frame_rules(cls, settings: Mapping[str, Any]) -> FrameRules:
        """Return the rules of the channels and the unit in the config."""
        labels = tuple(map(str, settings.get("channels") or ()))
        return FrameRules(labels=labels, ranges=(declared_range(str(settings.get("unit", "1"))),))

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> Item:
        return self.item(torch.from_numpy(self._values(index)), self.num_inputs)

    def sample_id(self, index: int) -> str:
        """Return the name of the sample's folder, with a number if it has several samples."""
        return self._ids[index]

    def block_id(self, index: int) -> str:
        """Return the folder: samples of one folder are parts of one sequence."""
        return self._frame_ids[index][0].rpartition("/")[0]

    def frame_ids(self, index: int) -> list[str]:
        """Return folder and number of each frame: several samples may be of one folder."""
        return self._frame_ids[index]

    def _values(self, index: int) -> NDArray[np.float32]:
        if self._pack is not None:
            # a copy: changing an item in place must not change later items
            return self._pack.array[self._rows[index]].take(self._columns[index], axis=0)
        return np.stack([read_frame(path) for path in self._files[index]])

    def _long_enough(self, sample: list[str], file: Path) -> list[str]:
        needed = self.num_inputs + self.num_targets
        if len(sample) < needed:
            name = loaders_file.key_of(sample[0])[0] if sample else "without frames"
            raise DataError(
                f"{file}: sample {name} has {len(sample)} frames, but {self.num_inputs} inputs and "
                f"{self.num_targets} targets need {needed}; use fewer (--frames-in, --frames-out), "
                "or other data (--data)"
            )
        return sample[:needed]


def _unique_names(names: list[str]) -> list[str]:
    """Append a number to the names of several samples of one folder, such as no folder has."""
    count = Counter(names)
    while clash := [n for n, times in count.items() if times > 1]:
        repeated = set(clash)
        names = [f"{n}-{i:05d}" if n in repeated else n for i, n in enumerate(names)]
        count = Counter(names)
    return names


def _usable_pack(
    root: Path, samples: list[list[str]]
) -> tuple[Pack, NDArray[np.intp], NDArray[np.intp]] | None:
    """Return the packed form, and the row and the columns of each sample in it.

    None if there is no pack; with a warning if it does not agree with the folders.
    """
    if not Pack.exists(root):
        return None
    folders = [root / loaders_file.key_of(sample[0])[0] for sample in samples]
    has_folders = any(folder.is_dir() for folder in folders)
    try:
        pack = Pack(root)
        places = [_place(pack, sample) for sample in samples]
        for folder, (row, columns) in zip(folders, places, strict=True):
            if has_folders and not (folder.is_dir() and pack.agrees_with(folder, row, columns)):
                raise DataError(f"{folder}: differs from the packed form")
    except DataError as error:
        if not has_folders:  # there are no single files to read instead
            raise
        again = f"pack again: openstl-ext data pack --data_path {root}"
        warnings.warn(
            f"reading single files instead of the packed form: {error}; {again}", stacklevel=3
        )
        return None
    return pack, np.array([row for row, _ in places]), np.array([c for _, c in places])


def _place(pack: Pack, sample: list[str]) -> tuple[int, list[int]]:
    """Return row and columns of a sample, whose frames must all be in one folder."""
    keys = [loaders_file.key_of(path) for path in sample]
    name = keys[0][0]
    found = pack.locate(name, [frame for folder, frame in keys if folder == name])
    if found is None or len(found[1]) < len(keys):
        raise DataError(f"{pack.root}: sample {name} or one of its frames is not packed")
    return found


def _check_size(shape: tuple[int, ...], expected: int | Sequence[int], root: str) -> None:
    """Raise an error for frames of another size than stated: a net may be of that size."""
    sides = [expected, expected] if isinstance(expected, int) else list(expected)
    if list(shape[1:]) != sides:
        stored, stated = (" x ".join(map(str, side)) for side in (shape[1:], sides))
        raise DataError(
            f"{root}: the frames have {stored} pixels, but image_size is {stated}; set it to their "
            "size (--size), or give other data (--data)"
        )


def _common_shape(files: list[list[Path]]) -> tuple[int, ...]:
    """Return the shape (C, H, W) of all frames, after reading their headers."""
    shape = frame_shape(files[0][0])
    for path in (path for sample in files for path in sample):
        if (other := frame_shape(path)) != shape:
            raise frame_error(path, f"shape {other}, but {files[0][0]} has {shape}")
    return shape
