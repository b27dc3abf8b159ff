"""Moving MNIST: handwritten digits that move and bounce off the edges."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.formats.idx import read_idx_images
from openstl_ext.datasets.formats.npy import map_numbers
from openstl_ext.datasets.remedies import command_for
from openstl_ext.datasets.stored_form import StoredForm
from openstl_ext.datasets.synthetic.marker import described
from openstl_ext.datasets.synthetic.moving_digits import DIGIT_SIZE, draw
from openstl_ext.datasets.synthetic.moving_mnist import TEST, TEST_DIGITS, TRAIN_DIGITS, write
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count, ImageSize, Index, NonNegative

PUBLISHED = {"num_digits": 2, "image_size": 64, "speed": 0.1}
"""Arguments that describe the published test set."""


@final
@DATASETS.register_module()
class MovingMNIST(SequenceDataset):
    """Ten frames of two moving digits as input, the next ten as target.

    Training sequences are drawn when they are read, from torch's generator, which the loop seeds
    from (seed, epoch, index): each epoch has new sequences, and every worker draws the same ones.

    Files:
        ``<root>/train-images-idx3-ubyte.gz``: 60,000 digits of 28 x 28 (MNIST; SHA-256 440fcabf...,
        MD5 f68b3c2d...). ``<root>/mnist_test_seq.npy``: uint8 (20, 10000, 64, 64), time first (MD5
        be083ec9...). ``<root>/t10k-images-idx3-ubyte.gz``: 10,000 more digits (SHA-256
        8d422c7b...), read only for a test set other than the published one.

    Channels and units:
        Brightness, 0 to 1.

    Splits:
        ``train`` draws from the first digits of the training file, ``val`` from the last
        ``val_fraction`` of them (10,000 of 60,000), so no digit is in both; the sequences of
        ``val`` are the same in every epoch and for every seed. ``test`` is the published file if
        digits, size and speed are those of the file and at most 20 frames are used; otherwise
        ``epoch_length`` fixed sequences drawn from the digits of MNIST's test file.

    Licence:
        MNIST (LeCun, Cortes): CC BY-SA 3.0. The test sequences (Srivastava et al.) have none;
        they are used in research under citation.

    Args:
        root: Folder of the files.
        split: One of train, val, test.
        num_inputs: Number of input frames.
        num_targets: Number of target frames.
        num_digits: Number of digits in a sequence.
        image_size: Side of a frame, in pixels.
        speed: Length of a step, as a share of the distance in which a digit can move.
        epoch_length: Sequences of a training epoch, and of a drawn test set.
        val_length: Sequences of the validation split.
        val_fraction: Share of the training digits used for validation; 0 trains on all.
        digit_range: First digit of the training file that ``train`` or ``val`` draws from, and the
            one after the last; None for those of ``val_fraction``. VMRNN trains on (0, 10000) and
            validates on (10000, 13000).

    Raises:
        DatasetNotFoundError: If a file does not exist; the message gives the command that fetches
            it.
        DataError: If a file is damaged or truncated.

    Source:
        Srivastava et al. (arXiv:1502.04681); rule of motion as in OpenSTL@c74deb5.

    Deviations:
        Upstream draws from generators that a restarted worker seeds again, trains on all digits
        and validates on the test set; VMRNN draws its validation sequences anew each time.
    """

    card = Card(
        marks=((TEST,), (TRAIN_DIGITS,)),
        samples={"test": 10_000},
        shape="20 x 1 x 64 x 64",
        note="Training sequences are drawn from the 60,000 digits of MNIST.",
    )
    metainfo = Metainfo(name="moving_mnist", channels=(Channel("brightness", "0-1"),))

    def __init__(
        self,
        *,
        root: str = "data/moving_mnist",
        split: str,
        num_inputs: Count = 10,
        num_targets: Count = 10,
        num_digits: Count = 2,
        image_size: ImageSize = 64,
        speed: NonNegative = 0.1,
        epoch_length: Count = 10_000,
        val_length: Index = 1_000,
        val_fraction: float = 1 / 6,
        digit_range: tuple[int, int] | None = None,
    ) -> None:
        counts = (num_inputs, num_targets, num_digits, epoch_length, val_length)
        if min(counts) < 1 or image_size < DIGIT_SIZE or not 0 < speed <= 1:
            raise ConfigError(
                "num_inputs, num_targets, num_digits, epoch_length and val_length must be at least "
                f"1, got {counts}; image_size at least {DIGIT_SIZE}, got {image_size}; speed in "
                f"(0, 1], got {speed}"
            )
        self.folder, self.split = Path(root), self.check_split(split)
        self.num_inputs, self.num_frames = num_inputs, num_inputs + num_targets
        self.num_digits, self.image_size, self.speed = num_digits, image_size, speed
        self.metainfo = described(self.metainfo, self.folder)
        self._fixed: NDArray[np.uint8] | None = None
        self._digits: NDArray[np.uint8] | None = None
        chosen = {"num_digits": num_digits, "image_size": image_size, "speed": speed}
        self.is_published_test = split == "test" and chosen == PUBLISHED and self.num_frames <= 20
        if self.is_published_test:
            self._length = self._sequences().shape[1]
            return
        self._length = val_length if split == "val" else epoch_length
        self.val_fraction, self.digit_range = val_fraction, digit_range
        if not len(self._images()):
            raise ConfigError(f"val_fraction={val_fraction} leaves no digit for the {split} split")

    @classmethod
    def stored_form(cls, settings: Mapping[str, Any]) -> StoredForm:
        """Return that bytes become 0 to 1."""
        del settings
        return StoredForm(divisor=255)

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write a small synthetic set in the true format."""
        write(root, num_digits=60, num_sequences=8)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_fixed": None, "_digits": None}  # each process reads the files

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Item:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        if self.is_published_test:
            frames = torch.from_numpy(self._sequences()[: self.num_frames, index].copy())
            return self.item(frames.float().div_(255).unsqueeze(1), self.num_inputs)
        return self.item(self._drawn(index % len(self)), self.num_inputs)

    def _drawn(self, index: int) -> Tensor:
        generator = None  # the global one, seeded by the loop
        if self.split != "train":
            generator = torch.Generator().manual_seed(index)
        chances = torch.rand(self.num_digits, 4, dtype=torch.float64, generator=generator)
        frames = draw(
            self._images(),
            chances.tolist(),
            speed=self.speed,
            num_frames=self.num_frames,
            image_size=self.image_size,
        )
        return torch.from_numpy(frames[:, None])

    def _images(self) -> NDArray[np.uint8]:
        """Return the digits of the split; each process reads them once."""
        if self._digits is None:
            path = self._path(TEST_DIGITS if self.split == "test" else TRAIN_DIGITS)
            digits = read_idx_images(path)
            self._digits = digits[self._window(len(digits))]
        return self._digits

    def _window(self, number: int) -> slice:
        """Return the range of the digits of a file that the split draws from."""
        if self.digit_range is None or self.split == "test":
            return self.split_window(number, self.split, self.val_fraction)
        first, after = self.digit_range
        if not 0 <= first < after <= number:
            raise ConfigError(
                f"digit_range={self.digit_range} must be ascending and within the {number} digits "
                f"of {TRAIN_DIGITS}"
            )
        return slice(first, after)

    def _sequences(self) -> NDArray[np.uint8]:
        """Return the published test set, mapped; each process maps it once."""
        if self._fixed is None:
            path = self._path(TEST)
            advice = f"delete it and run `{command_for('moving-mnist', self.folder)}` again"
            self._fixed = map_numbers(path, advice=advice)
            dtype, shape = self._fixed.dtype, self._fixed.shape
            if dtype != np.uint8 or (shape[0], *shape[2:]) != (20, 64, 64):
                raise DataError(
                    f"{path}: {dtype} {shape}, expected uint8 (20, N, 64, 64), time first; {advice}"
                )
        return self._fixed

    def _path(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise DatasetNotFoundError(path, prepare=command_for("moving-mnist", self.folder))
        return path
