"""Recordings of KTH on disk, and the windows of frames that are samples."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from openstl_ext.errors import ConfigError, DataError, nearest
from openstl_ext.text_file import read_text

ACTIONS = ("boxing", "handclapping", "handwaving", "jogging", "running", "walking")
FORMS = ("avi", "jpeg")
NAME = re.compile(r"person(\d\d)_([a-z]+)_d(\d)(?:_uncomp)?(\.avi)?")
FRAME = re.compile(r"image_(\d+)\.jpe?g", re.IGNORECASE)
SEQUENCES = "00sequences.txt"
"""Published with the videos: the ranges of frames that show a person."""

NUM_RECORDINGS = 599
"""25 persons, 6 actions, 4 scenarios; person13_handclapping_d3 does not exist."""

DAMAGED = frozenset({"person01_boxing_d4"})
"""Damaged as published: its end cannot be decoded. The frames before it are used."""


@dataclass(frozen=True, order=True, kw_only=True)
class Video:
    """One recording.

    Args:
        action: One of ``ACTIONS``.
        person: Number of the person, 1 to 25.
        scenario: Number of the place, 1 to 4.
        path: The AVI file, or the folder of the frames.
    """

    action: str
    person: int
    scenario: int
    path: Path

    @property
    def name(self) -> str:
        """Name as in the published list, such as ``person01_boxing_d1``."""
        return f"person{self.person:02d}_{self.action}_d{self.scenario}"

    @property
    def is_jpeg(self) -> bool:
        """Whether the recording is a folder of JPEG frames."""
        return self.path.is_dir()


def find_form(root: Path, form: str | None) -> str | None:
    """Return the form of the recordings in a folder; None if there are none of the given form.

    Args:
        root: Folder of the set.
        form: The requested form; None accepts the only one in the folder.

    Raises:
        ConfigError: If the form is unknown, or the folder has both and none is requested.
    """
    if form is not None and form not in FORMS:
        raise ConfigError(f"unknown form {form!r}; {nearest(form, FORMS)}")
    found = {
        "jpeg" if path.is_dir() else "avi"
        for action in ACTIONS
        for path in (root / action).glob("person*")
        if NAME.fullmatch(path.name)
    }
    if form is None and len(found) > 1:
        raise ConfigError(f"{root} has both AVI files and JPEG frames; choose with `form=`")
    wanted = form or next(iter(found), None)
    return wanted if wanted in found else None


def find_videos(root: Path, form: str, persons: Collection[int]) -> list[Video]:
    """List the recordings of some persons, sorted by action, person and scenario.

    Raises:
        DataError: If an action has no recording of them, or a recording exists twice.
    """
    videos: dict[str, Video] = {}
    for action in ACTIONS:
        for path in sorted((root / action).glob(f"person*_{action}_*")):
            match = NAME.fullmatch(path.name)
            if match is None or path.is_dir() != (form == "jpeg"):
                continue
            person, _, scenario, _ = match.groups()
            video = Video(action=action, person=int(person), scenario=int(scenario), path=path)
            if video.person not in persons:
                continue
            if twin := videos.get(video.name):
                raise DataError(f"{path}: same recording as {twin.path}; remove one of them")
            videos[video.name] = video
        if not any(video.action == action for video in videos.values()):
            raise DataError(
                f"{root / action}: no {form} recording of any of the persons "
                f"{', '.join(map(str, sorted(persons)))}; complete the set with the prepare tool"
            )
    return sorted(videos.values())


def read_sequences(path: Path) -> dict[str, list[tuple[int, int]]]:
    """Read the ranges of frames that show a person, by recording.

    Returns:
        First and last frame of each range, counted from 1.

    Raises:
        DataError: If the file lists no recording.
    """
    text = read_text(path, encoding="latin-1", max_bytes=1 << 20)
    # the file header and the one recording listed as missing do not match
    lines = re.findall(r"^\s*(person\d\d_[a-z]+_d\d)\s+frames\s+(.*)$", text, re.MULTILINE)
    if not lines:
        raise DataError(f"{path}: lists no recording; fetch it again")
    return {
        name: [(int(first), int(last)) for first, last in re.findall(r"(\d+)\s*-\s*(\d+)", pairs)]
        for name, pairs in lines
    }


SHORT_STRIDE = 3
SHORT_STRIDE_ACTIONS = frozenset({"jogging", "running"})
"""A running person soon leaves the image, so the windows overlap to give enough of them."""


def window_starts(numbers: Sequence[int], length: int, stride: int) -> list[int]:
    """Return the first indices of windows of frames without a gap, in time order.

    As published, windows are placed from the end towards the beginning, so the frames that
    remain are at the beginning.

    Args:
        numbers: Number of each frame in the original recording, ascending. A jump is a gap.
        length: Frames of a window.
        stride: Frames between the starts of two windows.

    Source:
        OpenSTL@c74deb5, dataloader_kth.py, load_data.
    """
    starts = []
    first = len(numbers) - length
    while first >= 0:
        if numbers[first + length - 1] - numbers[first] == length - 1:
            starts.append(first)
            first -= stride
        else:
            first -= 1
    return starts[::-1]


def stride_of(action: str, length: int) -> int:
    """Return the published stride: the window length, or three frames for jogging and running."""
    return SHORT_STRIDE if action in SHORT_STRIDE_ACTIONS else length
