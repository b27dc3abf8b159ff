"""NewDataset: waves that move over a map; replace them by your frames.

``python new_dataset.py`` writes a small synthetic set to ``data/new_dataset``.
"""

from pathlib import Path

import numpy as np
import torch

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.errors import DatasetNotFoundError
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo

NUM_INPUTS = 10


@DATASETS.register_module()
class NewDataset(SequenceDataset):
    """Ten frames as input, the next ten as target.

    Files:
        ``<root>/{train,val,test}.npy``, each (N, 20, 1, H, W), float32.

    Channels and units:
        Height of the wave, in metres.
    """

    metainfo = Metainfo(name="new_dataset", channels=(Channel("height", "m"),), lead=(1, "h"))

    def __init__(self, *, root: str = "data/new_dataset", split: str) -> None:
        self.split = self.check_split(split)
        path = Path(root) / f"{split}.npy"
        if not path.is_file():
            raise DatasetNotFoundError(path, prepare="python new_dataset.py")
        self.frames = np.load(path, mmap_mode="r", allow_pickle=False)

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write a small synthetic set in the true format."""
        root.mkdir(parents=True, exist_ok=True)
        draw = np.random.default_rng(0).uniform
        time, column = np.arange(20).reshape(1, 20, 1, 1, 1), np.arange(32)
        for split, number in (("train", 64), ("val", 8), ("test", 8)):
            phase = draw(0, 2 * np.pi, (number, 1, 1, 1, 1))
            height = 0.5 + 0.5 * np.sin(column / 5 - time / 3 + phase)
            rows = height.repeat(32, axis=3)
            np.save(root / f"{split}.npy", rows.astype("float32"))

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Item:
        frames = torch.from_numpy(np.array(self.frames[index]))
        return {
            "inputs": {"frames": frames[:NUM_INPUTS]},
            "data_samples": {"frames": frames[NUM_INPUTS:]},
        }

    def sample_id(self, index: int) -> str:
        """Return split and position: unique in the dataset, and a valid file name."""
        return f"{self.split}-{index:05d}"


if __name__ == "__main__":
    NewDataset.make_toy(Path("data/new_dataset"))
