"""Numbers of a dataset: samples of a split, shapes, and ranges of the values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.spectrum import ABSENT


@dataclass(frozen=True, kw_only=True)
class ValueRange:
    """Values of one channel in the samples that were read.

    Args:
        channel: Its name; of a covariate, its field and number.
        unit: Unit of the values.
        low: Smallest value; None where all are missing.
        high: Largest value.
        mean: Mean of the known values.
        std: Standard deviation of the known values, of all pixels together.
        missing: Share of the values that are missing, 0 to 1.
    """

    channel: str
    unit: str
    low: float | None
    high: float | None
    mean: float | None
    std: float | None
    missing: float


@dataclass(frozen=True, kw_only=True)
class SplitSummary:
    """One split.

    Args:
        name: Its name.
        num_samples: Number of its samples.
        num_read: Number of the samples that were read, evenly spread.
        inputs: Shapes of the input frames, (T, C, H, W); several if they differ.
        targets: Shapes of the target frames or labels.
    """

    name: str
    num_samples: int
    num_read: int
    inputs: list[tuple[int, ...]]
    targets: list[tuple[int, ...]]


class ValueTally:
    """Sums over the samples of a dataset, by channel and by class."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._classes: NDArray[np.int64] = np.zeros(0, np.int64)
        self._unlabelled = 0

    def add(self, label: str, unit: str, values: NDArray[Any]) -> None:
        """Add values of a channel; those that are not finite are missing."""
        known = values[np.isfinite(values)].astype(np.float64)
        found = np.array([values.size, known.size, known.sum(), (known**2).sum(), np.inf, -np.inf])
        if known.size:
            found[4:] = known.min(), known.max()
        old = self._sums.get((label, unit))
        if old is not None:
            found[:4] += old[:4]
            found[4:] = min(found[4], old[4]), max(found[5], old[5])
        self._sums[label, unit] = found

    def add_labels(self, labels: NDArray[np.int64], valid: NDArray[np.bool_] | None) -> None:
        """Add class indices (H, W) or (), or 0 or 1 for each class (K,)."""
        if labels.ndim == 1:
            counts = labels
        else:
            seen = labels.ravel() if valid is None else labels[valid]
            self._unlabelled += labels.size - seen.size
            counts = np.bincount(seen)
        size = max(len(counts), len(self._classes))
        padded = [np.pad(c, (0, size - len(c))) for c in (counts, self._classes)]
        self._classes = padded[0] + padded[1]

    @property
    def ranges(self) -> list[ValueRange]:
        """Ranges of the channels, in the order in which they were added."""
        found = []
        for (label, unit), (size, known, total, squares, low, high) in self._sums.items():
            mean = total / known if known else None
            spread = max(squares / known - mean**2, 0.0) ** 0.5 if mean is not None else None
            ends = (float(low), float(high)) if known else (None, None)
            missing = 1 - known / size if size else 0.0
            found.append(
                ValueRange(
                    channel=label,
                    unit=unit,
                    low=ends[0],
                    high=ends[1],
                    mean=None if mean is None else float(mean),
                    std=None if spread is None else float(spread),
                    missing=float(missing),
                )
            )
        return found

    def shares(self, classes: Sequence[str]) -> dict[str, float]:
        """Return the share of each class of all labels; ``without a label`` is counted too."""
        total = int(self._classes.sum()) + self._unlabelled
        if not total:
            return {}
        size = max(len(classes), len(self._classes))
        names = [classes[k] if k < len(classes) else f"class {k}" for k in range(size)]
        counts = np.pad(self._classes, (0, size - len(self._classes)))
        found = {name: int(n) / total for name, n in zip(names, counts, strict=True)}
        unknown = self._unlabelled / total
        return found | ({"without a label": unknown} if unknown else {})


def summarise(
    dataset: SequenceDataset,
    split: str,
    tally: ValueTally,
    *,
    most: int | None,
    seed: Callable[[int], None],
) -> SplitSummary:
    """Read samples of a split and add their values to a tally.

    Args:
        dataset: The split.
        split: Its name.
        tally: Receives the values.
        most: Largest number of samples to read, evenly spread; None reads all.
        seed: Called with the index before a sample is read, for those that are drawn at random.

    Raises:
        DataError: If a sample cannot be read.
    """
    inputs: set[tuple[int, ...]] = set()
    targets: set[tuple[int, ...]] = set()
    indices = spread_indices(len(dataset), most)
    for index in indices:
        seed(index)
        item: Any = dataset[index]
        arrays = {side: known_arrays(item.get(side) or {}) for side in ("inputs", "data_samples")}
        for side, shapes in (("inputs", inputs), ("data_samples", targets)):
            fields = arrays[side]
            if (frames := fields.get("frames")) is not None:
                shapes.add(frames.shape)
                for label, unit, values in channels_of(dataset, frames, fields.get("bands")):
                    tally.add(label, unit, values)
            if (labels := fields.get("labels")) is not None:
                shapes.add(labels.shape)
                tally.add_labels(labels, fields.get("valid"))
        for name in ("dynamic", "static"):
            if (covariates := arrays["inputs"].get(name)) is not None:
                for c in range(covariates.shape[-3]):
                    tally.add(f"{name} {c}", "", covariates[..., c, :, :])
    return SplitSummary(
        name=split,
        num_samples=len(dataset),
        num_read=len(indices),
        inputs=sorted(inputs),
        targets=sorted(targets),
    )


def spread_indices(length: int, most: int | None) -> list[int]:
    """Return all indices, or ``most`` of them, evenly spread from the first to the last."""
    if most is None or most >= length:
        return list(range(length))
    return sorted({round(i) for i in np.linspace(0, length - 1, most).tolist()})


def known_arrays(fields: Any) -> dict[str, NDArray[Any]]:
    """Return the fields of an item as arrays; frames are NaN where they are not valid."""
    arrays = {name: np.asarray(value) for name, value in fields.items()}
    if "frames" in arrays and "valid" in arrays:
        valid = arrays["valid"]
        arrays["frames"] = np.where(valid, arrays["frames"], np.nan).astype(np.float32)
    return arrays


def channels_of(
    dataset: SequenceDataset, frames: NDArray[np.float32], bands: NDArray[np.int64] | None
) -> list[tuple[str, str, NDArray[np.float32]]]:
    """Return name, unit and values of each channel of frames (T, C, H, W).

    Images of several sensors have bands of their own, named one after the other in the metainfo;
    where names do not fit, images and channels are numbered.
    """
    channels = dataset.metainfo.channels
    alike = bands is None or (bands == bands[0]).all()
    if alike:
        fit = len(channels) == frames.shape[1]
        named = [(c.label, c.unit) for c in channels] if fit else []
        named = named or [(f"channel {c}", "1") for c in range(frames.shape[1])]
        return [(*names, frames[:, c]) for c, names in enumerate(named)]
    assert bands is not None
    places = [(t, c) for t, c in np.ndindex(bands.shape) if bands[t, c] != ABSENT]
    if len(places) == len(channels):
        named = [(c.label, c.unit) for c in channels]
    else:
        named = [(f"image {t} band {c}", "1") for t, c in places]
    return [(*names, frames[t, c]) for names, (t, c) in zip(named, places, strict=True)]
