"""Split the samples of a folder into train, validation and test."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.formats import loaders_file
from openstl_ext.datasets.formats.checksums import write_checksums
from openstl_ext.datasets.formats.frame_file import (
    SUFFIXES,
    list_frames,
    read_frame,
    sample_folders,
)
from openstl_ext.datasets.formats.packed import Pack
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.frame_rules import FrameRules
from openstl_ext.progress_line import tracked


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """Settings of a split of samples.

    Args:
        train_ratio: Share of the samples for training.
        val_ratio: Share of the samples for validation; the remaining ones are the test split.
        total_length: Frames used of each sample; 0 uses all. Shorter samples are left out.
        num_samples: Number of samples to draw; None uses all.
        sample_start_index: Index of the first frame used; -1 draws it.
        init_final_only: Keep only the first and the last of the frames used.
        reverse: Reverse time.
        seed: Seed of all draws.

    Raises:
        ConfigError: If a value is out of range.
    """

    train_ratio: float = 0.7
    val_ratio: float = 0.15
    total_length: int = 0
    num_samples: int | None = None
    sample_start_index: int = 0
    init_final_only: bool = False
    reverse: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        ratios = (self.train_ratio, self.val_ratio)
        if not all(0 <= r <= 1 for r in ratios) or sum(ratios) > 1 + 1e-9:
            raise ConfigError(
                f"train_ratio and val_ratio are {ratios}, expected shares in [0, 1] with a sum of "
                "at most 1"
            )
        least = {"total_length": 0, "num_samples": 1, "sample_start_index": -1, "seed": 0}
        for name, limit in least.items():
            if (value := getattr(self, name)) is not None and value < limit:
                raise ConfigError(f"{name} must be at least {limit}, got {value}")


def create_loaders(
    root: Path,
    settings: SplitSettings,
    *,
    check: bool = True,
    as_default: bool = False,
    name: str | None = None,
) -> tuple[Path, list[str]]:
    """Write the loader file of a folder, and the checksums of its files.

    Args:
        root: Folder with one folder per sample, or with the packed form only.
        settings: Settings of the split.
        check: Read every frame once: what training would refuse is found now.
        as_default: Replace the default loader file of the folder, if there is one.
        name: Beginning of the name of the loader file.

    Returns:
        The file, and messages for the user.

    Raises:
        DatasetNotFoundError: If the folder does not exist.
        DataError: If there is no sample, a frame is missing or cannot be used, or no sample is
            long enough.

    Deviations:
        simvp_minimal cuts the window to two frames when ``init_final_only`` is given, so that its
        "final" frame is the second; here it is the last of the window. Where the ratios of train
        and validation add up to 1, its rounding can drop a sample; here validation gets it.
        Samples are drawn from a seed, and paths are relative to the folder.
    """
    random = np.random.RandomState(settings.seed)
    samples = _samples(root)
    lines = []
    if settings.num_samples is not None:
        if settings.num_samples > len(samples):
            lines.append(
                f"num_samples={settings.num_samples}, but there are {len(samples)}: all are used"
            )
        drawn = random.permutation(len(samples))[: settings.num_samples]
        samples = [samples[i] for i in sorted(drawn)]
    windows = [(folder, _window(paths, settings, random)) for folder, paths in samples]
    chosen = [window for _, window in windows if window]
    if short := [folder for folder, window in windows if not window]:
        lines.append(f"{len(short)} samples are too short and left out, such as {short[0]}")
    if not chosen:
        raise DataError(
            f"{root}: no sample has {settings.total_length} frames from "
            f"{max(settings.sample_start_index, 0)} on; {short[0]} has {len(samples[0][1])}; use a "
            "smaller total_length"
        )
    shuffled = [chosen[i] for i in random.permutation(len(chosen))]
    splits = _split(shuffled, round(settings.train_ratio, 3), round(settings.val_ratio, 3))
    if check:
        lines.append(_checked(root, chosen))
    path = loaders_file.write(root, splits, as_default=as_default, name=name)
    lines += [f"{name}: {len(part)} samples" for name, (_, part) in splits.items()]
    for name in ("train", "val", "test"):
        if name not in splits:
            lines.append(
                f"warning: no sample is left for {name}; change the ratios, or use no config part "
                f"that reads the split {name}"
            )
    if (read := loaders_file.find(root)) != path:
        lines.append(
            f"{read.name} stays the default; --default replaces it, and this one is read with "
            f"{loaders_file.option_for(path)}"
        )
    return path, [*lines, *(write_checksums(root) if check else [])]


def _checked(root: Path, samples: list[list[str]]) -> str:
    """Read all frames, and describe their shape and values.

    Raises:
        DataError: If a frame is damaged, not finite or of another shape, or its axes look like
            (H, W, C).
    """
    if not (root / samples[0][0]).is_file():
        pack = Pack(root)
        if not pack.is_intact():
            raise DataError(f"{root}: the packed form is damaged; make it again")
        frames: Iterable[tuple[str, NDArray[Any]]] = zip(pack.rows, pack.array, strict=True)
        total, unit = len(pack.rows), "samples"
    else:
        paths = [root / path for sample in samples for path in sample]
        frames = ((str(path), read_frame(path)) for path in paths)
        total, unit = len(paths), "frames"
    rules, shape = FrameRules(), None
    low, high = np.inf, -np.inf
    for place, frame in tracked(frames, "checking", unit, total=total):
        rules.check(frame, place=place)
        shape = shape or frame.shape[-3:]
        if frame.shape[-3:] != shape:
            raise DataError(f"{place}: shape {frame.shape}, but other frames have {shape}")
        low, high = min(low, float(frame.min())), max(high, float(frame.max()))
    return f"frames (C, H, W) = {shape}, values from {low:g} to {high:g}"


def holds_samples(root: Path) -> bool:
    """Return whether a folder has samples, as folders or packed."""
    return root.is_dir() and (bool(sample_folders(root)) or Pack.exists(root))


def _samples(root: Path) -> list[tuple[str, list[str]]]:
    """Return name and frame paths of every sample, from the folders or else from the pack."""
    if root.exists() and not root.is_dir():
        raise DataError(
            f"{root} is a file, expected a folder of samples (<sample>/0.npy, <sample>/1.npy, "
            "...); write each sample of it into a folder, or forecast it with `openstl-ext predict`"
        )
    if not root.is_dir():
        raise DatasetNotFoundError(
            root,
            prepare=f"openstl-ext data boiling --data_path {shlex.quote(str(root))}",
        )
    if folders := sample_folders(root):
        return [(f.name, [f"{f.name}/{p.name}" for p in list_frames(f)]) for f in folders]
    if Pack.exists(root):
        pack = Pack(root)
        return [(n, [f"{n}/{t}{SUFFIXES[0]}" for t in pack.columns]) for n in sorted(pack.rows)]
    raise DataError(f"{root}: no sample folders (<sample>/0.npy, <sample>/1.npy, ...)")


def _window(paths: list[str], settings: SplitSettings, random: np.random.RandomState) -> list[str]:
    """Return the frames used of a sample; none if it is too short."""
    start = settings.sample_start_index
    length = settings.total_length or len(paths) - max(start, 0)
    room = len(paths) - length
    if length < 1 or room < max(start, 0):
        return []
    if start == -1:
        start = int(random.randint(0, room + 1))
    taken = paths[start : start + length]
    if settings.reverse:
        taken = taken[::-1]
    return [taken[0], taken[-1]] if settings.init_final_only else taken


def _split(
    samples: list[list[str]], train_ratio: float, val_ratio: float
) -> dict[str, tuple[float, list[list[str]]]]:
    train = round(len(samples) * train_ratio)
    test_ratio = round(1 - train_ratio - val_ratio, 3)
    val = round(len(samples) * val_ratio) if test_ratio > 0 else len(samples) - train
    if val_ratio == 0:
        val = 0
    splits = {
        "train": (train_ratio, samples[:train]),
        "val": (val_ratio, samples[train : train + val]),
        "test": (test_ratio, samples[train + val :]),
    }
    return {name: part for name, part in splits.items() if part[1]}
