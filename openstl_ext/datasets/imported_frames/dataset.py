"""Windows of imported frames as samples."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import msgspec
import numpy as np
import torch

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.imported_frames.content import Content
from openstl_ext.datasets.stored_form import StoredForm
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError
from openstl_ext.frame_record import NAME, FramesRecord, read_record
from openstl_ext.frame_rules import FrameRules
from openstl_ext.rasters.window import Window
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count

FORBIDDEN = re.compile(r"[^\w.=+-]+")
"""Characters of a sequence's name that a sample id has not: it is a file name."""


@final
@DATASETS.register_module()
class ImportedFrames(SequenceDataset):
    """Your own frames of any kind, as ``openstl-ext data import`` has found them.

    Files:
        ``<root>/frames.json``: the source, its channels, units, sequences, splits and statistics.
        ``<root>/frames.npy``, where the import has converted the source: all frames, (frames, C,
        H, W), as stored. Otherwise the files of the source are read in place, and must not change.

    Channels and units:
        As imported, in float32. Numbers that were divided at import (``--scale 255``) are 0-1.
        Missing values (NaN) have a mask, ``valid``; then all samples have one.

    Splits:
        Windows of whole sequences or of spans of time, as imported. No frame is in two splits.

    Licence:
        That of the source.

    Args:
        root: Folder of the import.
        split: One of train, val, test.
        num_inputs: Number of input frames T; as imported by default.
        num_targets: Number of target frames T'; as imported by default. Both together may be
            shorter than the imported windows, whose last frames are then ignored.
        digest: Identifies the import, so that a run is not continued with other data; the recipes
            set it.

    Raises:
        DatasetNotFoundError: If the folder has no import.
        DataError: If files of the source are missing or have changed since the import.
        ConfigError: If the windows are too short, or the folder has another import.
    """

    card = Card(marks=((NAME,),))

    flag_refusals = {"size": "frames keep their size; import them again with --crop HxW"}

    def __init__(
        self,
        *,
        root: str,
        split: str,
        num_inputs: Count | None = None,
        num_targets: Count | None = None,
        digest: str | None = None,
    ) -> None:
        self.split = self.check_split(split)
        record = read_record(Path(root).expanduser())
        if digest is not None and digest != record.digest:
            raise ConfigError(
                f"{root} has the import {record.digest}, but this config is for {digest}; use its "
                "data, or start a new run without digest"
            )
        self.record = record
        inputs, targets = record.window
        self.num_inputs, self.num_targets = num_inputs or inputs, num_targets or targets
        self.length = self.num_inputs + self.num_targets
        if self.length > sum(record.window):
            raise ConfigError(
                f"{self.num_inputs} inputs and {self.num_targets} targets are {self.length} "
                f"frames, but the windows of {root} have {sum(record.window)}; import again with "
                f"--window {self.num_inputs}+{self.num_targets}"
            )
        self._content = Content(Path(root).expanduser(), record)
        self._content.check()
        self._windows = record.splits[split]  # type: ignore[index]
        self._names = names_of(record)
        self.metainfo = Metainfo(
            name=record.name,
            channels=tuple(Channel(c.name, c.unit, c.level) for c in record.channels),
            lead=record.lead,
        )

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Import a small array of moving bars, with missing values."""
        from openstl_ext.datasets.imported_frames.toy import write_toy

        write_toy(root)

    @classmethod
    def frame_rules(cls, settings: Mapping[str, Any]) -> FrameRules:
        """Return the rules of the imported channels; none if the import is not there."""
        try:
            record = read_record(Path(str(settings.get("root", ""))).expanduser())
        except (DatasetNotFoundError, DataError):
            return FrameRules()
        return FrameRules.of([Channel(c.name, c.unit, c.level) for c in record.channels])

    @classmethod
    def stored_form(cls, settings: Mapping[str, Any]) -> StoredForm:
        """Return the divisor and the options of the import; unknown if it is not there."""
        try:
            record = read_record(Path(str(settings.get("root", ""))).expanduser())
        except (DatasetNotFoundError, DataError):
            return StoredForm(divisor=None)
        options = msgspec.structs.asdict(record.options)
        inputs, targets = record.window
        return StoredForm(
            divisor=record.divisor,
            options=options,
            num_inputs=inputs,
            num_targets=targets,
            part=Window(*record.crop, *record.size) if any(record.crop) else None,
        )

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> Item:
        sequence, first = self._windows[index]
        values = self._content.read(sequence, first, first + self.length)
        item = self.item(torch.from_numpy(values), self.num_inputs)
        if self.record.has_missing:
            valid = torch.from_numpy(np.isfinite(values))
            item["inputs"]["valid"] = valid[: self.num_inputs]
            item["data_samples"]["valid"] = valid[self.num_inputs :]
        return item

    def sample_id(self, index: int) -> str:
        """Return the name of the sequence and the number of the first frame."""
        sequence, first = self._windows[index]
        return f"{self._names[sequence]}-{first:06d}"

    def block_id(self, index: int) -> str:
        """Return the sequence; of a split by time, a span of two windows, which overlap."""
        sequence, first = self._windows[index]
        name = self._names[sequence]
        if self.record.by == "sequence":
            return name
        return f"{name}-{first // (2 * self.length):06d}"

    def frame_ids(self, index: int) -> list[str]:
        """Return the sequence and the number of each frame: windows may overlap."""
        sequence, first = self._windows[index]
        return [f"{self._names[sequence]}-{first + step:06d}" for step in range(self.length)]

    def target_names(self, index: int) -> list[str]:
        """Return the time of each target frame; none where the source has no times."""
        sequence, first = self._windows[index]
        times = self.record.sequences[sequence].times
        return times[first + self.num_inputs : first + self.length]


def names_of(record: FramesRecord) -> list[str]:
    """Return a unique word for each sequence that is a valid part of a file name."""
    names = [FORBIDDEN.sub("_", s.name).strip("._")[:80] or "sequence" for s in record.sequences]
    if len(set(names)) < len(names):  # they differ in replaced characters only
        digits = len(str(len(names)))
        names = [f"{index:0{digits}d}_{name}" for index, name in enumerate(names)]
    return names
