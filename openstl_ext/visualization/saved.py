"""Read back what a test run saved."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError, nearest

KINDS = ("inputs", "trues", "preds")
LISTED = 20  # more names than that do not fit into an error


@dataclass(frozen=True)
class SavedSample:
    """One sample as arrays, in data units; NaN where there is no data.

    Shape:
        - inputs: (T, C, H, W); truth, forecast: (T', C, H, W).
    """

    name: str
    inputs: NDArray[np.float32]
    truth: NDArray[np.float32]
    forecast: NDArray[np.float32]


@dataclass(frozen=True)
class SavedLabels:
    """One labelled map as arrays: what was seen, what is there, what was said.

    Shape:
        - inputs: (T, C, H, W), in data units; NaN where there is no data.
        - truth, labels: (H, W), class indices; the truth is below 0 where nobody knows it.
        - probability: (K, H, W), of each class.
    """

    name: str
    inputs: NDArray[np.float32]
    truth: NDArray[np.int64]
    labels: NDArray[np.int64]
    probability: NDArray[np.float32]


class SavedFolder:
    """The ``saved`` folder of a run, ours or simvp_minimal's.

    Files:
        ``{inputs,trues,preds}/<sample>/<t>.npy``, each (H, W) or (C, H, W); perhaps ``about.json``
        with channel names, unit and lead. Where it says ``"kind": "labels"``, truth and answer
        are one map of class indices, and ``probs/<sample>/<k>.npy`` the probability of each.

    Args:
        path: The folder, or the work directory that holds it.

    Raises:
        DataError: If there are no forecasts.
    """

    def __init__(self, path: Path | str) -> None:
        given = Path(path)
        homes = [home for home in (given, given / "saved") if (home / "preds").is_dir()]
        if not homes:
            raise DataError(
                f"{given} holds no forecasts (no folder preds); "
                "`openstl-ext test CONFIG --save-predictions` writes them"
            )
        self.path = homes[0]

    @property
    def sample_ids(self) -> list[str]:
        """Samples that are there whole, in natural order: 2 before 10."""
        names = (
            {p.name for p in (self.path / kind).glob("*") if p.is_dir() and p.name[0] != "."}
            for kind in KINDS
        )
        return sorted(set.intersection(*names), key=_natural)

    @property
    def about(self) -> dict[str, Any]:
        """What ``about.json`` says; empty without one."""
        path = self.path / "about.json"
        try:
            about = json.loads(path.read_text()) if path.is_file() else {}
        except ValueError as error:
            raise DataError(f"{path}: {error}; remove it, or test again") from error
        return about if isinstance(about, dict) else {}

    @property
    def holds_labels(self) -> bool:
        """Whether the answers are classes of pixels."""
        return self.about.get("kind") == "labels"

    def find(self, name: str) -> str:
        """The sample of that name, or the only one whose name starts so.

        Raises:
            DataError: If there is none, or more than one; it proposes the nearest.
        """
        known = self.sample_ids
        starting = [candidate for candidate in known if candidate.startswith(name)]
        if name in known or len(starting) == 1:
            return name if name in known else starting[0]
        if starting:
            what = f"{len(starting)} samples start with {name!r}: {', '.join(starting[:3])} ..."
            raise DataError(f"{what} in {self.path}; write more of the name")
        hint = nearest(name, known)
        if hint.startswith("known") and len(known) > LISTED:
            hint = f"it has {len(known)} samples, from {known[0]!r} to {known[-1]!r}"
        raise DataError(f"there is no sample {name!r} in {self.path}; {hint}")

    def load(self, name: str) -> SavedSample:
        """The arrays of a sample.

        Raises:
            DataError: If a frame is missing, no array of numbers, or of another shape.
        """
        inputs, truth, forecast = (frames_of(self.path / kind / name) for kind in KINDS)
        if truth.shape != forecast.shape:
            raise DataError(
                f"{self.path}: the truth of sample {name} is {truth.shape}, its forecast "
                f"{forecast.shape} (frames, channels, height, width); test again"
            )
        return SavedSample(name, inputs, truth, forecast)

    def load_labels(self, name: str) -> SavedLabels:
        """The arrays of a labelled map.

        Raises:
            DataError: If a file is missing, no array of numbers, or of another size.
        """
        inputs, truth, labels, probability = (
            frames_of(self.path / kind / name) for kind in (*KINDS, "probs")
        )
        sizes = {x.shape[-2:] for x in (inputs, truth, labels, probability)}
        if len(sizes) > 1 or not truth.shape == labels.shape == (1, 1, *truth.shape[-2:]):
            raise DataError(
                f"{self.path}: inputs {inputs.shape}, truth {truth.shape}, answer {labels.shape} "
                f"and probability {probability.shape} of sample {name} do not fit; test again"
            )
        there, said = (np.rint(x[0, 0]).astype(np.int64) for x in (truth, labels))
        return SavedLabels(name, inputs, there, said, probability[:, 0])


def frames_of(folder: Path) -> NDArray[np.float32]:
    """Frames of a folder in the order of their numbers.

    Shape:
        - each file: (H, W), which is one channel, or (C, H, W); returns: (T, C, H, W).

    Raises:
        DataError: As above; it names the file.
    """
    paths = sorted(folder.glob("*.npy"), key=lambda path: _natural(path.stem))
    if not paths:
        raise DataError(f"{folder} holds no frames (<t>.npy)")
    frames: list[NDArray[np.float32]] = []
    for path in paths:
        try:
            frame = np.load(path, allow_pickle=False)
            frame = np.asarray(frame, dtype=np.float32)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path} is no array of numbers: {error}") from error
        if frame.ndim not in (2, 3) or 0 in frame.shape:
            raise DataError(f"{path} should be (H, W) or (C, H, W), but is {frame.shape}")
        frames.append(frame[None] if frame.ndim == 2 else frame)
        if frames[-1].shape != frames[0].shape:
            shapes = f"{frames[-1].shape}, but {paths[0].name} is {frames[0].shape}"
            raise DataError(f"{path} is {shapes} (channels, height, width)")
    return np.stack(frames)


def _natural(name: str) -> tuple[Any, ...]:
    """Sort key by which 2 comes before 10."""
    parts = re.split(r"(\d+)", name)
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in parts)
