"""What every dataset of sequences promises."""

from abc import ABC, abstractmethod
from pathlib import Path

from torch import Tensor
from torch.utils.data import Dataset

from openstl_ext.errors import ConfigError, nearest
from openstl_ext.structures import Item, Metainfo

SPLITS = ("train", "val", "test")


class SequenceDataset(Dataset[Item], ABC):
    """Sequences of frames, one record a sample, in the units of the data, as float32.

    A subclass sets ``metainfo``, says how many samples a split has and yields them. Nothing of a
    sample may depend on what was read before it: workers and resumed runs read in another order.

    Shape:
        - ``item["inputs"]["frames"]``: (T, C, H, W), oldest first.
        - ``item["data_samples"]["frames"]``: (T', C, H, W), earliest first.
    """

    metainfo: Metainfo

    @classmethod
    @abstractmethod
    def make_toy(cls, root: Path) -> None:
        """Write a tiny set in the true layout, so that ``cls(root=..., split=...)`` reads it."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: int) -> Item: ...

    def sample_id(self, index: int) -> str:
        """Name under which a forecast of this sample is saved; unique within the split."""
        return f"{index:0{max(5, len(str(len(self) - 1)))}d}"

    @staticmethod
    def check_split(split: str) -> str:
        """The split, if it is one.

        Raises:
            ConfigError: With the nearest name.
        """
        if split not in SPLITS:
            raise ConfigError(f"{split!r} is no split; {nearest(split, SPLITS)}")
        return split

    @staticmethod
    def window(length: int, split: str, val_fraction: float) -> slice:
        """Where a split lies in arrays that come as ``train`` and ``test`` only.

        Validation takes the end of the training part, so that neither overlaps the other and a
        series in time order is validated on what comes later.

        Args:
            length: Number of samples in the arrays of the part, which for ``test`` is the test
                part.
            split: One of train, val, test.
            val_fraction: Share of the training part kept for validation.

        Raises:
            ConfigError: If the split is unknown or the fraction is no share.
        """
        if not 0 <= val_fraction < 1:
            raise ConfigError(f"val_fraction must lie in [0, 1), got {val_fraction}")
        if SequenceDataset.check_split(split) == "test":
            return slice(0, length)
        border = length - round(length * val_fraction)
        return slice(0, border) if split == "train" else slice(border, length)

    @staticmethod
    def item(frames: Tensor, num_inputs: int) -> Item:
        """Cut a sequence (T + T', C, H, W) into what is known and what is asked."""
        return {
            "inputs": {"frames": frames[:num_inputs]},
            "data_samples": {"frames": frames[num_inputs:]},
        }
