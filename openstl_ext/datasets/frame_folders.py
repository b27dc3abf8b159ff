"""Any sequences that lie as one folder a sample and one file a frame."""

import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.boiling.prepare import BoilingRecipe, generate
from openstl_ext.datasets.formats import loaders_file
from openstl_ext.datasets.formats.folder_split import SplitRecipe, create_loaders
from openstl_ext.datasets.formats.frame_file import blame, frame_shape, read_frame
from openstl_ext.datasets.formats.packed import Pack
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Item, Metainfo


@final
@DATASETS.register_module()
class FrameFolders(SequenceDataset):
    """Your own sequences, of any length and shape.

    What a header tells (frames missing, cut off, of another shape) is checked when the dataset is
    built; values (NaN, infinity) when a frame is read, or once for all when it is packed.

    Files:
        ``<root>/<sample>/<t>.npy``, or ``.npz`` with the array ``data``: one frame, (H, W) or
        (C, H, W), any real number type. ``<root>/<id>_loaders.json`` holds the splits; it is made
        by ``openstl-ext data split``, and those of simvp_minimal are read too.
        ``<root>/packed.npy`` and ``packed.json``, by ``openstl-ext data pack``, hold
        the same in one array, which is read many times faster.

    Channels and units:
        As stored, as float32. Say in the arguments what they are.

    Splits:
        Those of the loader file. A sample is in one split only, and no split stands in for another.

    Args:
        root: Folder of the data.
        split: One of train, val, test.
        num_inputs: Frames T that are known.
        num_targets: Frames T' that are asked; what a sample has beyond both is left out.
        loaders: Name of the loader file, where the folder has several.
        packed: Prefer the packed form if there is one that agrees with the folders.
        name: Name in tables.
        channels: Name of each channel; numbers if not given.
        unit: Unit of the values.
        lead: Length of a time step and its unit.

    Raises:
        DatasetNotFoundError: If the folder or its loader file is not there.
        DataError: If a sample is not whole; the message names file and sample.

    Deviations:
        simvp_minimal shortens the targets of a sample with too few frames, and validates on the
        test split where there is no other; both are errors here. Pickled frames are refused.
    """

    def __init__(
        self,
        *,
        root: str,
        split: str = "train",
        num_inputs: int = 10,
        num_targets: int = 10,
        loaders: str | None = None,
        packed: bool = True,
        name: str = "frames",
        channels: Sequence[str] | None = None,
        unit: str = "1",
        lead: tuple[float, str] = (1, "frame"),
    ) -> None:
        self.check_split(split)
        if num_inputs < 1 or num_targets < 1:
            raise ConfigError(f"{num_inputs} inputs and {num_targets} targets: both must be >= 1")
        self.num_inputs, self.num_targets = num_inputs, num_targets
        if not Path(root).is_dir():
            raise DatasetNotFoundError(root, prepare=loaders_file.MAKE.format(root=root))
        file = loaders_file.find(Path(root), loaders)
        samples = [self._long_enough(s, file) for s in loaders_file.read(file, split)]
        self._ids = _unique([loaders_file.key_of(sample[0])[0] for sample in samples])
        self._pack: Pack | None = None
        if packed and (found := _usable_pack(file.parent, samples)):
            self._pack, self._rows, self._columns = found
            self.shape = self._pack.shape[2:]
        else:
            self._files = [[loaders_file.resolve(p, file.parent) for p in s] for s in samples]
            self.shape = _common_shape(self._files)
        given = tuple(channels or map(str, range(self.shape[0])))
        if len(given) != self.shape[0]:
            raise ConfigError(f"{len(given)} channel names for {self.shape[0]} channels in {root}")
        self.metainfo = Metainfo(name=name, channels=given, unit=unit, lead=(lead[0], lead[1]))

    @property
    def is_packed(self) -> bool:
        """Whether the packed form is read."""
        return self._pack is not None

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write eight tiny simulations, as files."""
        recipe = BoilingRecipe(num_samples=8, num_frames=20, image_size=16)
        generate(root, recipe, packed=False)
        create_loaders(root, SplitRecipe(train_ratio=0.5, val_ratio=0.25))

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, index: int) -> Item:
        return self.item(torch.from_numpy(self._values(index)), self.num_inputs)

    def sample_id(self, index: int) -> str:
        """Name of the sample's folder."""
        return self._ids[index]

    def _values(self, index: int) -> NDArray[np.float32]:
        if self._pack is not None:
            # a copy: an item changed in place must not change what is read next time
            return self._pack.array[self._rows[index]].take(self._columns[index], axis=0)
        paths = self._files[index]
        frames = [read_frame(path) for path in paths]
        for path, frame in zip(paths, frames, strict=True):
            if frame.shape != self.shape:
                raise blame(path, f"shape {frame.shape} in a set of {self.shape}")
        return np.stack(frames)

    def _long_enough(self, sample: list[str], file: Path) -> list[str]:
        needed = self.num_inputs + self.num_targets
        if len(sample) < needed:
            named = loaders_file.key_of(sample[0])[0] if sample else "?"
            raise DataError(
                f"{file}: sample {named} has {len(sample)} frames, and {self.num_inputs} inputs "
                f"with {self.num_targets} targets need {needed}"
            )
        return sample[:needed]


def _unique(names: list[str]) -> list[str]:
    """Tell apart several windows of one sample, or two forecasts would share a file."""
    count = Counter(names)
    return [n if count[n] == 1 else f"{n}_{i:05d}" for i, n in enumerate(names)]


def _usable_pack(
    root: Path, samples: list[list[str]]
) -> tuple[Pack, NDArray[np.intp], NDArray[np.intp]] | None:
    """The packed form, and the row and the columns of each sample in it.

    None where there is no pack; with a warning where it does not agree with the folders.
    """
    if not Pack.exists(root) or any(_lies_elsewhere(sample[0], root) for sample in samples):
        return None
    here = [root / loaders_file.key_of(sample[0])[0] for sample in samples]
    has_folders = any(folder.is_dir() for folder in here)
    try:
        pack = Pack(root)
        places = [_place(pack, sample) for sample in samples]
        for folder, (row, columns) in zip(here, places, strict=True):
            if has_folders and not (folder.is_dir() and pack.agrees_with(folder, row, columns)):
                raise DataError(f"{folder}: not what was packed")
    except DataError as error:
        if not has_folders:  # there is nothing to fall back on
            raise
        again = f"pack again: openstl-ext data pack --data_path {root}"
        warnings.warn(f"reading single files, not the packed form: {error}; {again}", stacklevel=3)
        return None
    return pack, np.array([row for row, _ in places]), np.array([c for _, c in places])


def _place(pack: Pack, sample: list[str]) -> tuple[int, list[int]]:
    keys = [loaders_file.key_of(path) for path in sample]
    if len({folder for folder, _ in keys}) > 1:
        raise DataError(f"{pack.root}: sample {keys[0][0]} takes frames of several folders")
    found = pack.locate(keys[0][0], [frame for _, frame in keys])
    if found is None:
        raise DataError(f"{pack.root}: sample {keys[0][0]} or one of its frames is not packed")
    return found


def _lies_elsewhere(path: str, root: Path) -> bool:
    """Whether a path of a loader file means, as it stands, a frame of another folder of data."""
    given = Path(path)
    return given.is_file() and given.resolve().parents[1] != root.resolve()


def _common_shape(files: list[list[Path]]) -> tuple[int, ...]:
    """Shape (C, H, W) of all frames, from their headers."""
    shape = frame_shape(files[0][0])
    for path in (path for sample in files for path in sample):
        if (other := frame_shape(path)) != shape:
            raise blame(path, f"shape {other}, where {files[0][0]} has {shape}")
    return shape
