"""Values of the short flags."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Values of the short flags; None where one is not given.

    Args:
        data: Folder of the data, or a loader file in it.
        frames_in: Number of input frames.
        frames_out: Number of target frames.
        size: Height and width of the frames, in pixels.
        epochs: Number of epochs.
        batch_size: Samples of a batch, on each process.
        lr: Learning rate; the peak where a schedule changes it.
    """

    data: Path | None = None
    frames_in: int | None = None
    frames_out: int | None = None
    size: tuple[int, int] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Names and values of the given flags."""
        pairs = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in pairs.items() if value is not None}
