"""Base class of datasets of frame sequences."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor
from torch.utils.data import Dataset

from openstl_ext.datasets.card import Card
from openstl_ext.datasets.stored_form import StoredForm
from openstl_ext.errors import ConfigError, nearest
from openstl_ext.frame_rules import FrameRules
from openstl_ext.rasters.window import Scene
from openstl_ext.spectrum import Band
from openstl_ext.structures import Item, Metainfo

SPLITS = ("train", "val", "test")


class SequenceDataset(Dataset[Item], ABC):
    """Base class of datasets that return sequences of frames, in data units and float32.

    A subclass takes ``split`` as a required argument and sets ``metainfo``. An item must not
    depend on the items read before it: workers and resumed runs read in another order.

    Attributes:
        metainfo: Description of the samples.
        split: One of train, val, test.
        groups: Group of each sample, where a training batch must have samples of one group only,
            such as those of two sensors; None where any samples may be in a batch.

    Shape:
        - ``item["inputs"]["frames"]``: (T, C, H, W), oldest first.
        - ``item["data_samples"]["frames"]``: (T', C, H, W), earliest first.
    """

    metainfo: Metainfo
    split: str = ""
    sensor_bands: Mapping[str, Band] = {}
    """Spectral bands by name, for images of sensors; they are compared with those of the net."""
    groups: Sequence[Hashable] | None = None
    splits: ClassVar[tuple[str, ...]] = SPLITS
    """Names that ``split`` accepts."""
    card: ClassVar[Card] = Card()
    """How its files are recognised, and what the published set looks like."""
    flag_arguments: Mapping[str, str] = {
        "data": "root",
        "loaders": "loaders",
        "frames_in": "num_inputs",
        "frames_out": "num_targets",
        "size": "image_size",
    }
    """Argument that takes each short flag of commands, where the constructor has it."""
    flag_refusals: Mapping[str, str] = {}
    """Reasons for which the data fix what a short flag would set."""

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return arguments, without root and split, that read the samples of a folder as stored.

        Override this where the defaults depend on a recipe, such as the number of frames.

        Args:
            root: Folder of the data.

        Raises:
            DataError: If the folder does not determine an argument.
        """
        del root
        return {}

    @classmethod
    @abstractmethod
    def make_toy(cls, root: Path) -> None:
        """Write a small set in the true format, so that ``cls(root=..., split=...)`` reads it."""

    @classmethod
    def scene(cls, source: Path, settings: Mapping[str, Any]) -> Scene:
        """Open an area of any size, of which a map is predicted.

        Args:
            source: File or folder of the rasters; targets and splits are not needed.
            settings: Arguments of the dataset in the config.

        Raises:
            ConfigError: If the dataset has no georeferenced inputs.
        """
        del settings
        raise ConfigError(
            f"the dataset of this config ({cls.__name__}) opens no rasters, so {source} cannot be "
            "mapped; give frames: an .npy or .npz, a folder of <t>.npy, pictures or GeoTIFFs, a "
            "video, netCDF, HDF5 or zarr"
        )

    @classmethod
    def opens_scenes(cls) -> bool:
        """Return whether ``scene`` opens rasters, so that a folder of them is an area to map."""
        return getattr(cls.scene, "__func__", None) is not SequenceDataset.scene.__func__  # type: ignore[attr-defined]

    def block_id(self, index: int) -> str | None:
        """Return what the sample shares with those that depend on it, such as its recording.

        Intervals and comparisons draw whole blocks, because overlapping windows or images of one
        place have less information than as many independent samples. None, the default: samples
        are independent, or it is not known.

        Args:
            index: Number of the sample.
        """
        del index
        return None

    @classmethod
    def frame_rules(cls, settings: Mapping[str, Any]) -> FrameRules:
        """Return what frames of this dataset are like, for predictions of frames from elsewhere.

        Args:
            settings: Arguments of the dataset in the config.
        """
        del settings
        metainfo = getattr(cls, "metainfo", None)  # may depend on the data
        return FrameRules() if metainfo is None else FrameRules.of(metainfo.channels)

    @classmethod
    def stored_form(cls, settings: Mapping[str, Any]) -> StoredForm:
        """Return how stored numbers become values, for predictions of files from elsewhere.

        Override this where the dataset divides whole numbers, such as bytes by 255.

        Args:
            settings: Arguments of the dataset in the config.
        """
        del settings
        return StoredForm()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> Item: ...

    def sample_id(self, index: int) -> str:
        """Return a name of the sample that is unique in the dataset, and a valid file name.

        Override this where samples have an identity, such as the name of their source and a
        position in it: it shows whether two splits share a sample. The default is the split and
        the index.
        """
        if not self.split:
            name = type(self).__name__
            raise ConfigError(f"{name} has no sample ids; set self.split or define sample_id")
        return f"{self.split}-{index:05d}"

    def frame_ids(self, index: int) -> Sequence[str]:
        """Return the names of the frames of a sample, where several samples may share frames.

        Override this where windows are drawn from a series: it shows whether the windows of two
        splits overlap. The default is the sample itself.
        """
        return [self.sample_id(index)]

    def target_names(self, index: int) -> list[str]:
        """Return a name for each target frame, such as its year; empty without such names."""
        del index
        return []

    @staticmethod
    def check_split(split: str) -> str:
        """Return the split.

        Raises:
            ConfigError: If it is unknown; the message proposes the nearest name.
        """
        if split not in SPLITS:
            raise ConfigError(f"unknown split {split!r}; {nearest(split, SPLITS)}")
        return split

    @staticmethod
    def split_window(length: int, split: str, val_fraction: float) -> slice:
        """Return the range of a split in arrays that are published as ``train`` and ``test`` only.

        Validation is the end of the training arrays, so it does not overlap with training, and
        is later than training where the arrays are in time order.

        Args:
            length: Number of samples in the arrays; for ``test``, in the test arrays.
            split: One of train, val, test.
            val_fraction: Share of the training arrays used for validation.

        Raises:
            ConfigError: If the split is unknown or the fraction is outside [0, 1).
        """
        if not 0 <= val_fraction < 1:
            raise ConfigError(f"val_fraction must be in [0, 1), got {val_fraction}")
        if SequenceDataset.check_split(split) == "test":
            return slice(0, length)
        val_start = length - round(length * val_fraction)
        return slice(0, val_start) if split == "train" else slice(val_start, length)

    @staticmethod
    def item(frames: Tensor, num_inputs: int) -> Item:
        """Split a sequence (T + T', C, H, W) into inputs and targets."""
        return {
            "inputs": {"frames": frames[:num_inputs]},
            "data_samples": {"frames": frames[num_inputs:]},
        }
