"""Truth with quantiles or members, from the saved samples of a run or from one file of arrays."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError, UserError
from openstl_ext.visualization.channel_rows import channel_index, channel_names
from openstl_ext.visualization.compared import method_names
from openstl_ext.visualization.saved import SavedFolder

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]
ADVICE = "`openstl-ext test CONFIG --save-predictions` saves those that the method predicts"


@dataclass(frozen=True)
class Uncertain:
    """Uncertain forecasts of one method.

    Args:
        place: Folder of saved samples, or a file .npz.
        channel: Name or number of the channel; None for all.
        lead: Lead from 1; None for all.
    """

    place: Path
    channel: str | None = None
    lead: int | None = None

    @property
    def is_file(self) -> bool:
        """Whether it is a file of arrays."""
        return self.place.suffix == ".npz"

    def levels(self) -> list[float]:
        """Return the levels of the quantiles.

        Raises:
            DataError: If there are no quantiles.
        """
        if self.is_file:
            return [float(level) for level in self._arrays("levels")["levels"]]
        folder = SavedFolder(self.place)
        if not folder.quantile_levels:
            raise DataError(f"{folder.path} has no quantiles; {ADVICE}")
        return folder.quantile_levels

    def pairs(self, kind: str) -> Iterator[Pair]:
        """Yield the truth (...) and the quantiles or members (E, ...) of each sample.

        Args:
            kind: ``quantiles`` or ``ensemble``.

        Raises:
            DataError: If there are none, or they do not fit the truth.
            UserError: If the channel or the lead does not exist.
        """
        if self.is_file:
            arrays = self._arrays("target", kind)
            truth, found = arrays["target"], arrays[kind]
            if truth.ndim != 5 or found.ndim != 6 or found.shape[1:] != truth.shape:
                raise DataError(
                    f"{self.place}: target is {truth.shape}, {kind} {found.shape}, expected "
                    "(samples, leads, channels, height, width) and the same after a first axis"
                )
            for index in range(len(truth)):
                yield self._part(truth[index], found[:, index], {})
            return
        folder = SavedFolder(self.place)
        if not (folder.path / kind).is_dir():
            word = "members of an ensemble" if kind == "ensemble" else "quantiles"
            raise DataError(f"{folder.path} has no {word}; {ADVICE}")
        for name in folder.sample_ids:
            found = folder.load_uncertain(name, kind)
            truth = folder.load(name).target
            if found.shape[1:] != truth.shape:
                raise DataError(
                    f"{folder.path}: the {kind} of sample {name} are {found.shape}, its target "
                    f"{truth.shape}; test again"
                )
            yield self._part(truth, found, folder.about)

    def _part(
        self, truth: NDArray[np.float32], found: NDArray[np.float32], about: dict[str, Any]
    ) -> Pair:
        """Return the channel and the lead of a sample."""
        if self.channel is not None:
            names = channel_names(about, truth.shape[1])
            index = channel_index(self.channel, names, truth.shape[1])
            truth, found = truth[:, [index]], found[:, :, [index]]
        if self.lead is not None:
            if not 1 <= self.lead <= len(truth):
                raise UserError(
                    f"there is no lead {self.lead}; the forecasts have leads from 1 to {len(truth)}"
                )
            truth, found = truth[[self.lead - 1]], found[:, [self.lead - 1]]
        return truth, found

    def _arrays(self, *names: str) -> dict[str, NDArray[np.float32]]:
        try:
            with np.load(self.place, allow_pickle=False) as file:
                return {name: np.asarray(file[name], np.float32) for name in names}
        except KeyError as error:
            raise DataError(
                f"{self.place} has no array {error}; it needs {', '.join(names)}"
            ) from None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{self.place} is not a file of arrays: {error}") from error


def names_of(places: list[Path]) -> list[str]:
    """Return a name for each method: that of its run, or of its file."""
    folders = {place: SavedFolder(place) for place in places if place.suffix != ".npz"}
    named = dict(zip(folders, method_names(list(folders.values())), strict=True)) if folders else {}
    return [named.get(place, place.stem) for place in places]


def note_of(channel: str | None, lead: int | None) -> str:
    """Return which part of the forecasts is drawn, in words."""
    words = [] if channel is None else [f"channel {channel}"]
    return ", ".join([*words, "all leads" if lead is None else f"lead {lead}"])
