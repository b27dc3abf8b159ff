"""Recordings of KTH on disk, and the windows of frames that are samples."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from openstl_ext.errors import ConfigError, DataError

ACTIONS = ("boxing", "handclapping", "handwaving", "jogging", "running", "walking")
FORMS = ("avi", "jpeg")
NAME = re.compile(r"person(\d\d)_([a-z]+)_d(\d)(?:_uncomp)?(\.avi)?")
FRAME = re.compile(r"image_(\d+)\.jpe?g", re.IGNORECASE)
SEQUENCES = "00sequences.txt"
"""Published beside the videos: in which of their frames somebody is to be seen."""

NUM_RECORDINGS = 599
"""25 persons, 6 actions, 4 scenarios; person13_handclapping_d3 does not exist."""

DAMAGED = frozenset({"person01_boxing_d4"})
"""Published as it is: its end cannot be decoded. What comes before is taken."""


@dataclass(frozen=True, order=True, kw_only=True)
class Video:
    """One recording.

    Args:
        action: What is done.
        person: Who does it, 1 to 25.
        scenario: Where, 1 to 4.
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
        """Whether it lies as frames."""
        return self.path.is_dir()


def find_form(root: Path, form: str | None) -> str | None:
    """Which form a folder holds, or whether it holds the one that is asked for; None if not.

    Raises:
        ConfigError: If the form is none, or there are both and none was chosen.
    """
    if form is not None and form not in FORMS:
        raise ConfigError(f"form must be one of {', '.join(FORMS)}, not {form!r}")
    found = {
        "jpeg" if path.is_dir() else "avi"
        for action in ACTIONS
        for path in (root / action).glob("person*")
        if NAME.fullmatch(path.name)
    }
    if form is None and len(found) > 1:
        raise ConfigError(f"{root} holds the AVI files and the JPEG frames; choose with `form=`")
    wanted = form or next(iter(found), None)
    return wanted if wanted in found else None


def find_videos(root: Path, form: str, persons: Collection[int]) -> list[Video]:
    """The recordings of some persons, in an order that no file system changes.

    Raises:
        DataError: If an action has no recording of them, or one is there twice.
    """
    videos: dict[str, Video] = {}
    for action in ACTIONS:
        for path in sorted((root / action).glob("person*")):
            match = NAME.fullmatch(path.name)
            if match is None or path.is_dir() != (form == "jpeg"):
                continue
            person, named, scenario, _ = match.groups()
            if named != action:
                raise DataError(f"{path}: named {named}, but lies under {action}; move it")
            video = Video(action=action, person=int(person), scenario=int(scenario), path=path)
            if video.person not in persons:
                continue
            if twin := videos.get(video.name):
                raise DataError(f"{path}: the same recording as {twin.path}; remove one of them")
            videos[video.name] = video
        if not any(video.action == action for video in videos.values()):
            raise DataError(
                f"{root / action}: has no {form} recording of any of the persons "
                f"{', '.join(map(str, sorted(persons)))}; is the set complete?"
            )
    return sorted(videos.values())


def read_sequences(path: Path) -> dict[str, list[tuple[int, int]]]:
    """Which frames of which recording show somebody: ranges, both ends included, counted from 1.

    Raises:
        DataError: If a line is not as published.
    """
    ranges: dict[str, list[tuple[int, int]]] = {}
    for number, line in enumerate(path.read_text(encoding="latin-1").splitlines(), start=1):
        match = re.match(r"\s*(person\d\d_[a-z]+_d\d)\s+frames\s+(.*)", line)
        if match is None:
            continue  # the head, and the one recording that is listed as missing
        try:
            pairs = [part.split("-") for part in match[2].split(",") if part.strip()]
            ranges[match[1]] = [(int(first), int(last)) for first, last in pairs]
        except ValueError:
            raise DataError(f"{path}, line {number}: not ranges of frames: {match[2]!r}") from None
    if not ranges:
        raise DataError(f"{path}: lists no recording; fetch it again")
    return ranges


SHORT_STRIDE = 3
SHORT_STRIDE_ACTIONS = frozenset({"jogging", "running"})
"""Those who run are soon out of sight, so their windows overlap."""


def window_starts(numbers: Sequence[int], length: int, stride: int) -> list[int]:
    """Where windows of frames without a gap begin, in order of time.

    They are laid from the end towards the beginning, which is the published way: what is left
    over is left at the beginning.

    Args:
        numbers: Number of each frame in the original recording, ascending. A jump is a gap.
        length: Frames of a window.
        stride: Frames between two windows.

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
    """Published stride: the whole window, but three frames for jogging and running."""
    return SHORT_STRIDE if action in SHORT_STRIDE_ACTIONS else length
