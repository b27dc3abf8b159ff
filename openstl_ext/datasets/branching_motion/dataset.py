"""Branching motion: the past does not tell which of two futures comes."""

import shlex
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.branching_motion.prepare import (
    RECORD,
    BranchingSettings,
    read_settings,
    write_settings,
)
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.synthetic.branching_path import draw_branches
from openstl_ext.errors import ConfigError, DatasetNotFoundError
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count

SPLIT_NUMBERS = {"val": 1, "test": 2}


@final
@DATASETS.register_module()
class BranchingMotion(SequenceDataset):
    """A spot moves straight through the input and the first target frames, then turns at random.

    It turns left with a known probability p, otherwise right, by the same angle. The best forecast
    is therefore known: both futures with their probabilities. With a and b the values of a pixel
    in the two, its continuous ranked probability score is ``p (1 - p) |a - b|`` in expectation; an
    ensemble of M members has ``1 + 1 / M`` times as much, and the mean has
    ``2 p (1 - p) |a - b|`` as its absolute error.

    Training sequences are drawn when they are read, from torch's generator, which the loop seeds
    from (seed, epoch, index). Those of validation and test are fixed.

    Files:
        ``<root>/branching_motion.json``: settings, made by ``openstl-ext data branching-motion``.

    Channels and units:
        Brightness, 0 to 1.

    Splits:
        Independent sequences; the numbers are in the settings.

    Licence:
        Synthetic; none is needed.

    Args:
        root: Folder of the settings.
        split: One of train, val, test.
        num_inputs: Number of input frames.
        num_targets: Number of target frames.
        straight_targets: Number of target frames before the turn.

    Raises:
        DatasetNotFoundError: If there are no settings; the message gives the command.
        ConfigError: If the turn is outside the target frames, or the spot leaves the image.
    """

    card = Card(
        marks=((RECORD,),), note="Nothing is published: sequences are drawn when they are read."
    )
    flag_refusals = {
        "size": "the folder states it; write it again with `openstl-ext data branching-motion`"
    }
    metainfo = Metainfo(
        name="branching_motion", channels=(Channel("brightness", "0-1"),), synthetic=True
    )

    def __init__(
        self,
        *,
        root: str = "data/branching_motion",
        split: str,
        num_inputs: Count = 4,
        num_targets: Count = 4,
        straight_targets: int = 1,
    ) -> None:
        self.split = self.check_split(split)
        if not 0 <= straight_targets < num_targets:
            raise ConfigError(
                f"straight_targets={straight_targets} must be at least 0 and less than "
                f"num_targets={num_targets}, so that the turn is seen"
            )
        path = Path(root) / RECORD
        if not path.is_file():
            command = shlex.join(["openstl-ext", "data", "branching-motion", "--root", root])
            raise DatasetNotFoundError(path, prepare=command)
        self.settings = read_settings(path)
        self.num_inputs, self.num_frames = num_inputs, num_inputs + num_targets
        self.straight = num_inputs + straight_targets - 1
        self.branches(torch.Generator())  # an image too small for the motion is an error now

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write the settings of a few small sequences."""
        write_settings(root, BranchingSettings(num_train=6, num_val=4, num_test=4))

    def __len__(self) -> int:
        counts = {"train": "num_train", "val": "num_val", "test": "num_test"}
        return int(getattr(self.settings, counts[self.split]))

    def __getitem__(self, index: int) -> Item:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        generator = self._generator(index % len(self))
        both = self.branches(generator)
        left = bool(torch.rand((), generator=generator) < self.settings.left_prob)
        return self.item(both[0 if left else 1], self.num_inputs)

    def sample_id(self, index: int) -> str:
        """Return split and index, with a checksum of the settings that are not the default ones.

        Samples of other settings are other samples: their scores belong to another protocol.
        """
        mark = self.settings.checksum
        return super().sample_id(index) + (f"-{mark}" if mark else "")

    def futures(self, index: int) -> Tensor:
        """Return both possible targets of a sample of validation or test, left first.

        Shape:
            - returns: (2, T', C, H, W).
        """
        return self.branches(self._generator(index))[:, self.num_inputs :]

    def branches(self, generator: torch.Generator | None) -> Tensor:
        """Draw both sequences of a sample, (2, T + T', C, H, W)."""
        settings: Any = self.settings
        return draw_branches(
            self.num_frames,
            image_size=settings.image_size,
            speed=settings.speed,
            straight=self.straight,
            angle=settings.angle,
            radius=settings.radius,
            generator=generator,
        )

    def _generator(self, index: int) -> torch.Generator | None:
        """Return the source of a fixed sample; None in training, where the loop seeds torch."""
        if self.split == "train":
            return None
        place = (self.settings.seed, SPLIT_NUMBERS[self.split], index)
        # torch uses 32 bits of a seed
        return torch.Generator().manual_seed(
            int(np.random.SeedSequence(place).generate_state(1)[0])
        )
