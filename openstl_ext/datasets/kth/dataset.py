"""KTH: video of people who walk, run, box, wave and clap."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.formats.frame_cache import FrameCache, map_video
from openstl_ext.datasets.formats.video import read_avi, read_jpegs
from openstl_ext.datasets.kth.files import (
    DAMAGED,
    FRAME,
    SEQUENCES,
    Video,
    find_form,
    find_videos,
    read_sequences,
    stride_of,
    window_starts,
)
from openstl_ext.datasets.remedies import command_for
from openstl_ext.datasets.stored_form import StoredForm
from openstl_ext.datasets.synthetic.kth import write
from openstl_ext.datasets.synthetic.marker import described
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count, ImageSize

TRAIN_PERSONS = range(1, 17)
TEST_PERSONS = range(17, 26)


@final
@DATASETS.register_module()
class KTH(SequenceDataset):
    """Ten frames of a moving person as input, the next twenty or forty as target.

    Each recording is decoded once into an array on disk, and samples are read by mapping it: the
    memory in use does not grow with the set.

    Files:
        ``<root>/<action>/person01_<action>_d1_uncomp.avi`` and so on: 599 recordings of 160 x 120
        at 25 frames a second, from the six published zips (verified by SHA-1), with
        ``<root>/00sequences.txt``. Or ``<root>/<action>/person01_<action>_d1/image_0001.jpg`` and
        so on: frames as prepared by the authors of PredRNN, which published tables use; frames
        without a person are left out there, which shows in the numbers. ``<root>/cache``: decoded
        frames.

    Channels and units:
        Brightness, 0 to 1: the first channel, stretched to a square.

    Splits:
        Persons 1-16 train, 17-25 test, as published. ``val`` is ``val_persons`` of the former,
        who are then left out of ``train``; no person is in two splits. Published results validate
        on the test set: for a comparable table train with ``val_persons=()`` and validate with
        ``split="test"``.

    Licence:
        Schuldt, Laptev, Caputo (ICPR 2004): free for research, with citation; not for
        redistribution or commercial use.

    Args:
        root: Folder of the set.
        split: One of train, val, test.
        num_inputs: Number of input frames.
        num_targets: Number of target frames.
        image_size: Side of a frame, in pixels.
        form: "avi" or "jpeg"; required only if the folder has both.
        trimmed: Leave out the frames of an AVI file without a person, by 00sequences.txt.
        val_persons: Persons of the training set used for validation.
        cache_dir: Folder of the decoded frames; default ``<root>/cache``.

    Raises:
        DatasetNotFoundError: If there is no recording; the message gives the command that fetches
            them.
        DataError: If a recording is damaged; the message names it.

    Source:
        Windows, strides, persons and scaling as in OpenSTL@c74deb5, dataloader_kth.py.

    Deviations:
        Samples are sorted by action, person, scenario and time; upstream's order is that of the
        file system. Upstream has no validation split and keeps all frames in memory as float64.
    """

    card = Card(
        marks=(
            ("boxing/person*_boxing_d*",),
            ("walking/person*_walking_d*",),
        ),
        note=(
            "599 recordings of 160 x 120 pixels at 25 frames a second; the frames of PredRNN's "
            "authors give 5,200 training and 3,167 test windows of 10 and 20 frames."
        ),
    )
    metainfo = Metainfo(name="kth", channels=(Channel("brightness", "0-1"),), lead=(40, "ms"))

    def __init__(
        self,
        *,
        root: str = "data/kth",
        split: str,
        num_inputs: Count = 10,
        num_targets: Count = 20,
        image_size: ImageSize = 128,
        form: str | None = None,
        trimmed: bool = True,
        val_persons: Sequence[int] = (15, 16),
        cache_dir: str | None = None,
    ) -> None:
        if min(num_inputs, num_targets, image_size) < 1:
            raise ConfigError(
                f"num_inputs={num_inputs}, num_targets={num_targets} and image_size={image_size} "
                "must be at least 1"
            )
        self.folder, self.num_inputs, self.image_size = Path(root), num_inputs, image_size
        self.num_frames = num_inputs + num_targets
        self.split = self.check_split(split)
        persons = _persons(split, val_persons)
        found = find_form(self.folder, form)
        if found is None:
            raise DatasetNotFoundError(root, prepare=command_for("kth", root))
        videos = find_videos(self.folder, found, persons)
        ranges = self._ranges() if found == "avi" and trimmed else None
        self._files = FrameCache(Path(cache_dir) if cache_dir else self.folder / "cache").fill(
            [(video.name, _sources(video), partial(_decode, video)) for video in videos]
        )
        self._index: list[tuple[int, int]] = []
        self._ids: list[str] = []
        for at, video in enumerate(videos):
            numbers = self._numbers(at, video, ranges)
            stride = stride_of(video.action, self.num_frames)
            for start in window_starts(numbers, self.num_frames, stride):
                # the decoded AVI has all frames, so the frame number gives the index
                first = start if video.is_jpeg else numbers[start] - 1
                self._index.append((at, first))
                self._ids.append(f"{video.name}-{numbers[start]:06d}")
        if not self._index:
            raise DataError(f"{root}: no recording has {self.num_frames} consecutive frames")
        self._opened: dict[int, NDArray[np.uint8]] = {}
        self.metainfo = described(self.metainfo, self.folder)

    @classmethod
    def stored_form(cls, settings: Mapping[str, Any]) -> StoredForm:
        """Return that bytes become 0 to 1."""
        del settings
        return StoredForm(divisor=255)

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write a small synthetic set in the true format."""
        write(root, num_frames=52, persons=(1, 15, 17))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_opened": {}}  # each process maps the files itself

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, index: int) -> Item:
        at, first = self._index[index]
        if at not in self._opened:
            self._opened[at] = map_video(self._files[at])
        window = self._opened[at][first : first + self.num_frames]
        size = (self.image_size, self.image_size)
        frames = np.empty((self.num_frames, 1, *size), np.float32)
        for frame, target in zip(window, frames, strict=True):
            # resized as float, as upstream does: resized bytes would be rounded
            cv2.resize(frame.astype(np.float32), size, dst=target[0])
        frames /= 255
        return self.item(torch.from_numpy(frames), self.num_inputs)

    def sample_id(self, index: int) -> str:
        """Return recording and number of the first frame."""
        return self._ids[index]

    def block_id(self, index: int) -> str:
        """Return the person, who acts alike in all recordings."""
        return self._ids[index].partition("_")[0]

    def _ranges(self) -> dict[str, list[tuple[int, int]]]:
        path = self.folder / SEQUENCES
        if not path.is_file():
            raise DatasetNotFoundError(
                path, prepare=command_for("kth", self.folder) + "` or set `trimmed=False"
            )
        return read_sequences(path)

    def _numbers(
        self, at: int, video: Video, ranges: dict[str, list[tuple[int, int]]] | None
    ) -> list[int]:
        """Return the numbers of the frames to use, counted from 1 in the original recording."""
        if video.is_jpeg:
            return [_number(path) for path in _sources(video)]
        count = len(map_video(self._files[at]))
        if ranges is None:
            return list(range(1, count + 1))
        if video.name not in ranges:
            raise DataError(f"{self.folder / SEQUENCES}: {video.name} is missing; fetch it again")
        seen = {n for low, high in ranges[video.name] for n in range(low, high + 1)}
        return sorted(n for n in seen if 1 <= n <= count)


def _persons(split: str, val_persons: Sequence[int]) -> set[int]:
    val, train = set(val_persons), set(TRAIN_PERSONS) - set(val_persons)
    persons = {"train": train, "val": val, "test": set(TEST_PERSONS)}[split]
    if not persons or not val <= set(TRAIN_PERSONS):
        raise ConfigError(
            f"val_persons={tuple(val_persons)} with split {split!r}; choose some, but not all, of "
            "the persons 1 to 16"
        )
    return persons


def _sources(video: Video) -> list[Path]:
    """Return the files of a recording, frames in the order of their numbers."""
    if not video.is_jpeg:
        return [video.path]
    return sorted((p for p in video.path.iterdir() if FRAME.fullmatch(p.name)), key=_number)


def _number(path: Path) -> int:
    match = FRAME.fullmatch(path.name)
    assert match is not None  # _sources lists no others
    return int(match[1])


def _decode(video: Video) -> NDArray[np.uint8]:
    if video.is_jpeg:
        return read_jpegs(_sources(video))
    return read_avi(video.path, damaged=video.name in DAMAGED)
