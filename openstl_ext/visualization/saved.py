"""Read the samples that a test run saved."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError, nearest
from openstl_ext.json_file import read_json
from openstl_ext.leftovers import is_leftover

KINDS = ("inputs", "trues", "preds")
LISTED = 20  # most names in an error message


@dataclass(frozen=True)
class SavedSample:
    """One sample as arrays, in data units; NaN where there is no data.

    Shape:
        - inputs: (T, C, H, W); target, forecast: (T', C, H, W).
    """

    name: str
    inputs: NDArray[np.float32]
    target: NDArray[np.float32]
    forecast: NDArray[np.float32]


@dataclass(frozen=True)
class SavedLabels:
    """One label map as arrays: inputs, target and prediction.

    Shape:
        - inputs: (T, C, H, W), in data units; NaN where there is no data.
        - target, labels: (H, W), class indices; the target is below 0 where it is unknown.
        - probability: (K, H, W), one map per class.
    """

    name: str
    inputs: NDArray[np.float32]
    target: NDArray[np.int64]
    labels: NDArray[np.int64]
    probability: NDArray[np.float32]


class SavedFolder:
    """The ``saved`` folder of a run of this project, of simvp_minimal or of OpenSTL.

    Files:
        ``{inputs,trues,preds}/<sample>/<t>.npy``, each (H, W) or (C, H, W); optionally
        ``about.json`` with channel names, unit and lead, and ``quantiles`` and ``ensemble``, each
        (Q, C, H, W) or (E, C, H, W). With ``"kind": "labels"``, target and prediction are one map
        of class indices, and ``probs/<sample>/<k>.npy`` is the probability of class k. With
        ``"kind": "scenes"``, the labels of entire samples are in one array per
        kind; see ``SavedScenes``. Or, as OpenSTL writes them, ``{inputs,trues,preds}.npy``, each
        (N, T, C, H, W) with all samples, whose names are their numbers from 0; they are mapped, not
        read as a whole.

    Args:
        path: The folder, or its work directory.

    Raises:
        DataError: If the folder has no forecasts.
    """

    def __init__(self, path: Path | str) -> None:
        given = Path(path)
        folders = [home for home in (given, given / "saved") if (home / "preds").is_dir()]
        stacked = [home for home in (given, given / "saved") if (home / "preds.npy").is_file()]
        if not folders and not stacked:
            raise DataError(
                f"{given} has no folder preds with forecasts, and no preds.npy; "
                "`openstl-ext test CONFIG --save-predictions` writes them"
            )
        self.path = (folders or stacked)[0]
        stacks = not folders and not self.holds_scenes
        self._stacks = {kind: _stack(self.path, kind) for kind in KINDS} if stacks else {}
        lengths = {kind: len(stack) for kind, stack in self._stacks.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"{self.path}: the stacks have different numbers of samples: {lengths}")

    @property
    def sample_ids(self) -> list[str]:
        """Complete samples in natural order: 2 before 10."""
        if self.holds_scenes:
            return read_json(self.path / "samples.json", list[str], advice="test again")
        if self._stacks:
            return [str(index) for index in range(len(self._stacks["preds"]))]
        names = (
            {p.name for p in (self.path / kind).glob("*") if p.is_dir() and p.name[0] != "."}
            for kind in KINDS
        )
        return sorted(set.intersection(*names), key=_natural)

    @property
    def about(self) -> dict[str, Any]:
        """Content of ``about.json``; empty without the file."""
        path = self.path / "about.json"
        if not path.is_file():
            return {}
        return read_json(path, dict[str, Any], advice="remove it, or test again")

    @property
    def holds_labels(self) -> bool:
        """Whether the predictions are classes of pixels."""
        return self.about.get("kind") == "labels"

    @property
    def holds_scenes(self) -> bool:
        """Whether the predictions are classes of entire samples."""
        return self.about.get("kind") == "scenes"

    def find(self, name: str) -> str:
        """Return the name of the sample that has this name or is the only one that begins with it.

        Raises:
            DataError: If there is none or more than one; the message proposes the nearest name.
        """
        known = self.sample_ids
        starting = [candidate for candidate in known if candidate.startswith(name)]
        if name in known or len(starting) == 1:
            return name if name in known else starting[0]
        if starting:
            what = f"{len(starting)} samples start with {name!r}: {', '.join(starting[:3])} ..."
            raise DataError(f"{what} in {self.path}; give more letters of the name")
        hint = nearest(name, known)
        if hint.startswith("known") and len(known) > LISTED:
            hint = f"it has {len(known)} samples, from {known[0]!r} to {known[-1]!r}"
        raise DataError(f"there is no sample {name!r} in {self.path}; {hint}")

    def load(self, name: str) -> SavedSample:
        """Read the arrays of a sample.

        Raises:
            DataError: If a frame is missing, is no array of numbers or differs in shape.
        """
        if self._stacks:
            index = int(name)
            frames = [np.asarray(self._stacks[kind][index], np.float32) for kind in KINDS]
        else:
            frames = [frames_of(self.path / kind / name) for kind in KINDS]
        inputs, target, forecast = frames
        if target.shape != forecast.shape:
            raise DataError(
                f"{self.path}: the target of sample {name} has shape {target.shape}, its forecast "
                f"{forecast.shape} (frames, channels, height, width); test again"
            )
        return SavedSample(name, inputs, target, forecast)

    @property
    def quantile_levels(self) -> list[float]:
        """Level of each saved quantile; empty without quantiles."""
        has_any = not self._stacks and (self.path / "quantiles").is_dir()
        return [float(level) for level in self.about.get("quantile_levels") or ()] * has_any

    @property
    def has_members(self) -> bool:
        """Whether the members of an ensemble are saved."""
        return (self.path / "ensemble").is_dir()

    def load_uncertain(self, name: str, kind: str) -> NDArray[np.float32]:
        """Read the quantiles or the members of a sample.

        Args:
            name: Name of the sample.
            kind: ``quantiles`` or ``ensemble``.

        Shape:
            - returns: (Q or E, T', C, H, W).

        Raises:
            DataError: If a file is missing, or no such array of numbers.
        """
        folder = self.path / kind / name
        paths = sorted(folder.glob("*.npy"), key=lambda path: _natural(path.stem))
        arrays = [read_array(path) for path in paths if not is_leftover(path.name)]
        shapes = {array.shape for array in arrays}
        if len(shapes) != 1 or arrays[0].ndim != 4:
            raise DataError(
                f"{folder} has arrays of shapes {sorted(shapes)}, expected one of (members, "
                "channels, height, width) for each step; test again"
            )
        return np.stack(arrays, axis=1)

    def load_labels(self, name: str) -> SavedLabels:
        """Read the arrays of a label map.

        Raises:
            DataError: If a file is missing, is no array of numbers or differs in size.
        """
        inputs, target, labels, probability = (
            frames_of(self.path / kind / name) for kind in (*KINDS, "probs")
        )
        sizes = {x.shape[-2:] for x in (inputs, target, labels, probability)}
        if len(sizes) > 1 or not target.shape == labels.shape == (1, 1, *target.shape[-2:]):
            raise DataError(
                f"{self.path}: inputs {inputs.shape}, target {target.shape}, labels {labels.shape} "
                f"and probability {probability.shape} of sample {name} do not fit; test again"
            )
        observed, predicted = (np.rint(x[0, 0]).astype(np.int64) for x in (target, labels))
        return SavedLabels(name, inputs, observed, predicted, probability[:, 0])


def _stack(folder: Path, kind: str) -> NDArray[Any]:
    """Map an array of all samples, (N, T, C, H, W).

    Raises:
        DataError: If it is missing, damaged, or no such array of numbers.
    """
    path = folder / f"{kind}.npy"
    try:
        stack: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not an array of numbers: {error}") from error
    if stack.ndim != 5 or 0 in stack.shape or stack.dtype.kind not in "fiub":
        raise DataError(
            f"{path} is {stack.dtype} of shape {stack.shape}, expected numbers of shape "
            "(samples, frames, channels, height, width)"
        )
    return stack


def frames_of(folder: Path) -> NDArray[np.float32]:
    """Read the frames of a folder in the order of their numbers.

    Shape:
        - each file: (H, W) for one channel, or (C, H, W); returns: (T, C, H, W).

    Raises:
        DataError: If a frame is missing, is no array of numbers or differs in shape.
    """
    found = (path for path in folder.glob("*.npy") if not is_leftover(path.name))
    paths = sorted(found, key=lambda path: _natural(path.stem))
    if not paths:
        raise DataError(f"{folder} has no frames (<t>.npy)")
    frames: list[NDArray[np.float32]] = []
    for path in paths:
        frame = read_array(path)
        if frame.ndim not in (2, 3) or 0 in frame.shape:
            raise DataError(f"{path} has shape {frame.shape}, expected (H, W) or (C, H, W)")
        frames.append(frame[None] if frame.ndim == 2 else frame)
        if frames[-1].shape != frames[0].shape:
            shapes = f"{frames[-1].shape}, but {paths[0].name} has {frames[0].shape}"
            raise DataError(f"{path} has shape {shapes} (channels, height, width)")
    return np.stack(frames)


def read_array(path: Path) -> NDArray[np.float32]:
    """Read an array of numbers.

    Raises:
        DataError: If the file is missing, damaged, or no such array.
    """
    try:
        return np.asarray(np.load(path, allow_pickle=False), dtype=np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is not an array of numbers: {error}") from error


def _natural(name: str) -> tuple[Any, ...]:
    """Return a sort key with 2 before 10."""
    parts = re.split(r"(\d+)", name)
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in parts)
