"""Images with a class for each pixel: windows, paired augmentation, and the item."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray

from openstl_ext.datasets.sensors.augmentation import draw_turns, rotated
from openstl_ext.datasets.sensors.images import as_inputs
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window
from openstl_ext.structures import Item

Augment = Literal["flips"]
"""``flips``: each of the eight flips and quarter turns with equal probability."""
ValFraction = Annotated[float, Meta(ge=0, lt=1)]
"""Share of the published training part that validation gets."""
IGNORED = -1
"""Label of a pixel without a class, before it becomes 0 and not valid."""


def num_held_out(count: int, share: float) -> int:
    """Return how many of ``count`` groups validation gets: at least 1, but none for a share of 0.

    Args:
        count: Number of groups of the training part, such as patches.
        share: Share of them for validation.
    """
    return max(1, round(count * share)) if count and share else 0


def held_out(groups: Sequence[str], share: float) -> frozenset[str]:
    """Return the groups that validation gets from the training part.

    They are evenly spread over the sorted names: of n groups, those at (k + 1/2) n / m for
    k = 0 ... m - 1, rounded down; m is their number.

    Args:
        groups: Names of what must not be divided, such as tiles.
        share: Share of the groups for validation, below 1.
    """
    names = sorted(set(groups))
    count = num_held_out(len(names), share)
    return frozenset(names[int((k + 0.5) * len(names) / count)] for k in range(count))


def draw_window(height: int, width: int, size: int, place: Path) -> Window:
    """Draw a square of an image; all positions are equally likely.

    Raises:
        ConfigError: If the image is smaller.
    """
    if size > min(height, width):
        raise ConfigError(
            f"crop_size is {size}, but {place} has {height} x {width} pixels; set crop_size to "
            f"at most {min(height, width)}"
        )
    row = int(torch.randint(height - size + 1, ()))
    return Window(row, int(torch.randint(width - size + 1, ())), size, size)


def read_labels(
    path: Path, classes: Sequence[str], window: Window, *, image: RasterFile
) -> NDArray[np.int64]:
    """Read a raster of class indices, in which -1 and no data mean that there is no label.

    A nodata value that is the index of a class is not used: many tools write 0 for background.

    Args:
        path: A GeoTIFF of one band.
        classes: Name of each class.
        window: The pixels.
        image: Raster of the image, which has the same size.

    Shape:
        - returns: (rows, columns); ``IGNORED`` where there is no label.

    Raises:
        DataError: If it has another size, several bands, or a number that is not a class.
    """
    raster = RasterFile(path, codes=True)
    found, expected = (
        (r.dataset.count if r is raster else 1, r.dataset.height, r.dataset.width)
        for r in (raster, image)
    )
    if found != expected:
        raise DataError(
            f"{path}: bands, rows and columns are {found}, expected {expected} as of {image.path}; "
            "correct it, or unpack the set again"
        )
    tag = raster.dataset.nodata
    is_class = tag is not None and tag in range(len(classes))
    stored = raster.read([1], window, nodata=[IGNORED if is_class else None])[0]
    raster.dataset.close()
    return class_indices(stored, classes, path)


def class_indices(
    stored: NDArray[Any], classes: Sequence[str], path: Path | str
) -> NDArray[np.int64]:
    """Return stored numbers as class indices; -1 and NaN mean that there is no label.

    Args:
        stored: Numbers of any type.
        classes: Name of each class.
        path: The file, for the message.

    Raises:
        DataError: If a number is not a class.
    """
    labels = np.where(np.isnan(stored), IGNORED, stored) if stored.dtype.kind == "f" else stored
    odd = labels[(labels < IGNORED) | (labels >= len(classes)) | (labels != np.floor(labels))]
    if odd.size:
        listed = ", ".join(f"{index} {name}" for index, name in enumerate(classes))
        raise DataError(
            f"{path}: has the label {odd[0]:g} ({odd.size} pixels), expected {listed}, or "
            f"{IGNORED} where there is none; correct it, or fetch the set again"
        )
    return labels.astype(np.int64)


def map_item(
    images: Sequence[tuple[np.ndarray, Sequence[int]]],
    labels: NDArray[np.int64],
    augment: Augment | None,
) -> Item:
    """Put images and their labels together, both turned alike.

    Args:
        images: Normalised values (C, h, w) of each image, and the index of each band.
        labels: Class of each pixel (H, W), negative where there is none; h and w may differ from
            H and W.
        augment: Augmentation, drawn from the global generator.
    """
    inputs = as_inputs(images)
    target = torch.from_numpy(labels)
    if augment == "flips":
        turn = draw_turns()
        inputs["frames"], target = rotated(inputs["frames"], *turn), rotated(target, *turn)
    known = target >= 0
    return {
        "inputs": {"frames": inputs["frames"], "bands": inputs["bands"]},
        "data_samples": {"labels": torch.where(known, target, 0), "valid": known},
    }
