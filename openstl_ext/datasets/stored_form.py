"""How the files of a dataset become values, for frames from elsewhere in prediction."""

from dataclasses import dataclass, field
from typing import Any

from openstl_ext.rasters.window import Window


@dataclass(frozen=True, kw_only=True)
class StoredForm:
    """Stored numbers of the training data, which inputs of a prediction have too.

    Args:
        divisor: Whole numbers are divided by it, as in the dataset; 255 for bytes as 0-1. None if
            it is not known, because the record of the training data is not there.
        options: How the source of the training data was read, by the names of
            ``frame_sources.ReadOptions``.
        num_inputs: Input frames of a sample, where the config does not state them.
        num_targets: Target frames of a sample.
        part: Central part of the frames of the source that the training used; None is all.
    """

    divisor: float | None = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    num_inputs: int | None = None
    num_targets: int | None = None
    part: Window | None = None
