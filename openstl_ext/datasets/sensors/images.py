"""Images of a sensor as arrays: read, resize, and put together for a net."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from openstl_ext.datasets.sensors.resampling import resampled
from openstl_ext.datasets.sensors.sensor import Sensor
from openstl_ext.errors import DataError
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window
from openstl_ext.spectrum import ABSENT

PICTURES = {".jpg", ".jpeg", ".png"}
"""Files without georeference, of 8-bit RGB."""


def read_image(path: Path, sensor: Sensor) -> np.ndarray:
    """Read the bands of a sensor from a GeoTIFF, or from an RGB picture.

    Shape:
        - returns: (C, H, W), float32, in units of the file; NaN where there is no data.

    Raises:
        DataError: If there is no such image, or it has another number of bands than the sensor.
    """
    if path.suffix.lower() in PICTURES:
        return read_picture(path, sensor)
    return read_raster(RasterFile(path), sensor)


def read_picture(path: Path, sensor: Sensor) -> np.ndarray:
    """Read the bands of a sensor from a picture of any format that Pillow reads.

    Shape:
        - returns: (C, H, W), float32; NaN where an alpha band is 0.

    Raises:
        DataError: If it cannot be read, its values are no bytes, or the sensor has not three bands.
    """
    try:
        with Image.open(path) as picture:
            _check_bytes(path, picture)
            values = np.asarray(picture.convert("RGBA"), np.float32)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such image") from None
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: cannot be read as a picture: {error}") from None
    _check_number(path, 3, sensor)
    values = np.where(values[..., 3:] > 0, values[..., :3], np.nan)
    return values.transpose(2, 0, 1)[list(sensor.in_file)]


def _check_bytes(path: Path, picture: Image.Image) -> None:
    """Refuse values of 16 and 32 bits, which Pillow cuts to 8 without a word."""
    stored = [picture.mode, *(str(tile[-1]) for tile in getattr(picture, "tile", ()))]
    if picture.mode in ("I", "F") or any(";16" in mode for mode in stored):
        raise DataError(
            f"{path}: has values of more than 8 bits, but a picture has bytes; write a GeoTIFF, "
            "and a table of its bands for this unit"
        )


def read_raster(raster: RasterFile, sensor: Sensor) -> np.ndarray:
    """Read the bands of a sensor from a GeoTIFF; close it."""
    values = read_window(raster, sensor)
    raster.dataset.close()
    return values


def read_window(
    raster: RasterFile, sensor: Sensor, window: Window | None = None, *, num_other: int = 0
) -> np.ndarray:
    """Read the bands of a sensor in a window of a GeoTIFF.

    Args:
        raster: The file.
        sensor: The sensor.
        window: The pixels; all by default. NaN beyond the edge.
        num_other: Number of bands after those of the sensor, such as an alpha band.

    Shape:
        - returns: (C, rows, columns), float32, in units of the file; NaN where there is no data.

    Raises:
        DataError: If the file has another number of bands, not counted an alpha band at the end,
            or its descriptions name bands of the sensor in another order.
    """
    path, count = Path(raster.path), raster.dataset.count
    extra = count - len(sensor.all_bands) == 1 and _ends_with_alpha(raster)
    _check_number(path, count, sensor, num_other or int(extra))
    check_order(path, raster.dataset.descriptions, sensor)
    window = window or Window(0, 0, raster.grid.height, raster.grid.width)
    bands = [position + 1 for position in sensor.in_file]
    count = len(sensor.all_bands)
    return raster.read(bands, window, nodata=[None] * len(bands), num_values=count)


def _ends_with_alpha(raster: RasterFile) -> bool:
    return str(raster.dataset.colorinterp[-1].name) == "alpha"


def check_order(path: Path, stored: Sequence[str | None], sensor: Sensor) -> None:
    """Refuse a file whose descriptions name bands of the sensor at other positions.

    Args:
        path: The file, for the message.
        stored: Description of each of its bands; others than names of the sensor mean nothing.
        sensor: The sensor.

    Raises:
        DataError: With the first such band.
    """
    places = {sensor.named(text): number for number, text in enumerate(stored) if text}
    for number, band in enumerate(sensor.all_bands):
        if places.get(band, number) != number:
            names = ", ".join(other.name for other in sensor.all_bands)
            raise DataError(
                f"{path}: the description of band {places[band] + 1} is "
                f"{stored[places[band]]!r}, but {band.name} is band {number + 1} of {names}; write "
                "the bands in this order, or list them in that of the file"
            )


def _check_number(path: Path, found: int, sensor: Sensor, num_other: int = 0) -> None:
    if found != len(sensor.all_bands) + num_other:
        names = ", ".join(band.name for band in sensor.all_bands)
        others = f" and {num_other} other" if num_other else ""
        raise DataError(
            f"{path}: has {found} bands, but the sensor {sensor.name} has {len(sensor.all_bands)}: "
            f"{names}{others}; name another sensor, or write a table for this product"
        )


def resized(image: np.ndarray, size: int | tuple[int, int], *, order: int = 3) -> np.ndarray:
    """Resample an image to another number of pixels, with a low-pass filter where it shrinks.

    Args:
        image: Values without NaN, such as normalised ones.
        size: Height and width, or the side of a square.
        order: Order of the spline: 1 is bilinear, 3 bicubic.

    Shape:
        - image: (C, H, W); returns: (C, *size), float32.
    """
    height, width = (size, size) if isinstance(size, int) else size
    if image.shape[1:] == (height, width):
        return image
    rows, columns = image.shape[1:]
    values = image.astype(np.float32)
    return resampled(values, (0, rows, height), (0, columns, width), order=order)


def as_inputs(
    images: Sequence[tuple[np.ndarray, Sequence[int]]], *, num_bands: int = 0
) -> dict[str, Tensor]:
    """Put the images of a place together, each of a sensor of its own.

    Args:
        images: Normalised values (C, H, W) of one height and width, and the index of each band.
        num_bands: Smallest number C of bands, where other samples of a batch have more.

    Returns:
        ``frames`` (T, C, H, W) and ``bands`` (T, C) for the T images. C is the largest number of
        bands; missing ones have the index ``ABSENT`` and values 0.
    """
    most = max(num_bands, *(len(image) for image, _ in images))
    height, width = images[0][0].shape[1:]
    frames = torch.zeros(len(images), most, height, width)
    bands = torch.full((len(images), most), ABSENT)
    for t, (image, indices) in enumerate(images):
        frames[t, : len(image)] = torch.from_numpy(np.ascontiguousarray(image, np.float32))
        bands[t, : len(image)] = torch.tensor(indices)
    return {"frames": frames, "bands": bands}
