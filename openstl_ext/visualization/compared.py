"""Forecasts of the same sample by several methods, and their names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError, UserError
from openstl_ext.visualization.saved import SavedFolder, SavedLabels, SavedSample

Saved = SavedSample | SavedLabels


@dataclass(frozen=True)
class Compared:
    """One sample as several methods predict it.

    Args:
        about: Facts of the data, those of the first method.
        methods: Each method by name: the sample with its prediction.
    """

    about: dict[str, Any]
    methods: dict[str, Saved]

    @property
    def first(self) -> Saved:
        """The sample with the prediction of the first method."""
        return next(iter(self.methods.values()))

    @property
    def num_channels(self) -> int:
        """Number of channels of the forecasts of frames."""
        return next(iter(self.frames.values())).forecast.shape[1]

    @property
    def frames(self) -> dict[str, SavedSample]:
        """The methods of a sample of frames.

        Raises:
            UserError: If the predictions are labels.
        """
        found = {k: v for k, v in self.methods.items() if isinstance(v, SavedSample)}
        if len(found) < len(self.methods):
            raise UserError(f"the predictions of {self.first.name} are labels, not frames")
        return found


def compare_saved(folders: Sequence[SavedFolder], name: str) -> Compared:
    """Read one sample of several methods.

    Args:
        folders: Saved samples of each method.
        name: Name of the sample, or its beginning.

    Raises:
        DataError: If a method lacks the sample, or its target is another one.
        UserError: If the samples have one label each, and so no picture.
    """
    found: dict[str, Saved] = {}
    for label, folder in zip(method_names(folders), folders, strict=True):
        if folder.holds_scenes:
            raise UserError(f"the samples of {folder.path} have labels, not maps to draw")
        known = folder.find(name)
        read = folder.load_labels(known) if folder.holds_labels else folder.load(known)
        found[label] = read
        first = next(iter(found.values()))
        if type(read) is not type(first) or not _equal(read.target, first.target):
            raise DataError(
                f"the target of sample {read.name} in {folder.path} is another one than in "
                f"{folders[0].path}; compare methods on the same data"
            )
        # one target of several records: missing values count as in the first
        if isinstance(read, SavedSample) and isinstance(first, SavedSample):
            found[label] = replace(read, inputs=first.inputs, target=first.target)
    return Compared(folders[0].about, found)


def each_compared(folders: Sequence[SavedFolder]) -> Iterator[Compared]:
    """Read every sample of several methods, in the order of the first.

    Raises:
        DataError: If the methods have other samples.
    """
    names = folders[0].sample_ids
    for folder in folders[1:]:
        if folder.sample_ids != names:
            raise DataError(
                f"{folder.path} has other samples than {folders[0].path}; test both on the same "
                "data"
            )
    for name in names:
        yield compare_saved(folders, name)


def method_names(folders: Sequence[SavedFolder]) -> list[str]:
    """Return a name for each method: its config, with the seed or the folder if it is repeated."""
    abouts = [folder.about for folder in folders]
    configs = [str(a.get("config") or f.path) for a, f in zip(abouts, folders, strict=True)]
    seeded = [f"{c}, seed {a.get('seed')}" for a, c in zip(abouts, configs, strict=True)]
    placed = [f"{c} ({folder.path})" for c, folder in zip(configs, folders, strict=True)]
    names = [
        config if configs.count(config) == 1 else seed if seeded.count(seed) == 1 else place
        for config, seed, place in zip(configs, seeded, placed, strict=True)
    ]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{twice} is given twice; name each folder once")
    return names


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether two targets are equal but for rounding, missing values included."""
    close = {"rtol": 1e-4, "atol": 1e-6, "equal_nan": True}
    return one.shape == other.shape and np.allclose(one, other, **close)  # type: ignore[arg-type]
