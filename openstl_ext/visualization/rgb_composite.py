"""RGB composites of frames with many bands."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from openstl_ext.errors import UserError
from openstl_ext.visualization.channel_rows import channel_index

Array = NDArray[np.float32]
NATURAL = (
    ("red", "green", "blue"),
    ("B04", "B03", "B02"),
    ("B4", "B3", "B2"),
    ("SR_B4", "SR_B3", "SR_B2"),
)
"""Red, green and blue by the names of products: of any, of Sentinel-2, HLS, and Landsat 8."""
LOW, HIGH = 2, 98
"""Percentiles of a band that become 0 and 1, so that a few clouds do not darken the image."""


def rgb_composites(
    frames: Array, names: Sequence[str], picked: Sequence[str] = ()
) -> tuple[Array, list[str]]:
    """Return three bands as red, green and blue, each stretched over all frames together.

    One stretch for all frames keeps changes of brightness between years visible.

    Args:
        frames: All frames of a sample, in data units.
        names: Name of each band.
        picked: Names or numbers of three bands, or of one to show in grey; by default red, green
            and blue if they exist, else the first three, or the first.

    Shape:
        - frames: (T, C, H, W), NaN where there is no data; returns: (T, H, W, 3) in [0, 1], NaN
          where a band is missing; and the names of the bands.

    Raises:
        UserError: If a band does not exist, or the number of bands is not one or three.
    """
    if len(picked) not in (0, 1, 3):
        raise UserError(f"--rgb takes three bands, or one for grey, got {len(picked)}")
    bands = [channel_index(word, names, frames.shape[1]) for word in picked]
    if not bands:
        natural = [triple for triple in NATURAL if set(triple) <= set(names)]
        first = range(3 if frames.shape[1] >= 3 else 1)
        bands = [list(names).index(name) for name in natural[0]] if natural else list(first)
    stretched = np.stack([_stretched(frames[:, band]) for band in bands], axis=-1)
    stretched[np.isnan(stretched).any(axis=-1)] = np.nan
    return np.broadcast_to(stretched, (*stretched.shape[:-1], 3)), [names[band] for band in bands]


def overlay(image: Array, *layers: tuple[NDArray[np.bool_], str]) -> Array:
    """Colour pixels of a grey image.

    Args:
        image: The image in the background, which is drawn in grey.
        layers: Pixels and their colour; later layers cover earlier ones.

    Shape:
        - image: (H, W, 3), each layer: (H, W); returns: (H, W, 3), NaN where the image has no data
          and no layer is drawn.
    """
    luminance = image @ np.asarray((0.299, 0.587, 0.114), dtype=np.float32)
    colors = np.repeat((0.5 + 0.5 * luminance)[..., None], 3, axis=-1)  # a light background
    for where, color in layers:
        below = np.nan_to_num(colors[where], nan=0.75)
        colors[where] = 0.15 * below + 0.85 * np.asarray(to_rgb(color), dtype=np.float32)
    return colors


def _stretched(band: Array) -> Array:
    known = band[np.isfinite(band)]
    if not known.size:
        return np.full_like(band, np.nan)
    low, high = np.percentile(known, (LOW, HIGH))
    span = high - low if high > low else 1.0
    scaled = np.clip((band - low) / span, 0, 1)
    return np.where(np.isfinite(band), scaled, np.nan).astype(np.float32)
