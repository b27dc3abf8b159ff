"""Colours of an animation as indices of one palette, as a GIF has them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from openstl_ext.visualization.scales import rgb_bytes
from openstl_ext.visualization.style import EMPTY, FAINT, INK, LINE

MOST = 256
GREYS = tuple(range(0, 256, 12))
"""Levels of the edges of letters."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Palette:
    """At most 256 colours, (N, 3)."""

    colors: Pixels

    @classmethod
    def of(cls, fixed: Sequence[Pixels], shown: Sequence[Pixels]) -> "Palette":
        """Choose the colours: the fixed ones exactly, others as they fit.

        Args:
            fixed: Arrays (N, 3) of colours that are kept, such as those of colormaps; a few greys
                for texts are added.
            shown: Arrays (..., 3) of the pixels to draw.
        """
        texts = [rgb_bytes(color) for color in ("#ffffff", INK, FAINT, LINE, EMPTY)]
        greys = np.repeat(np.array(GREYS, np.uint8)[:, None], 3, axis=1)
        kept = np.unique(np.concatenate([*texts, greys, *fixed]), axis=0)
        flat = [pixels.reshape(-1, 3) for pixels in shown]
        codes = np.unique(_codes(np.concatenate(flat))) if flat else np.empty(0, np.uint32)
        new = np.setdiff1d(codes, _codes(kept))
        room = MOST - len(kept)
        if not len(new) or room <= 0:
            return cls(kept[:MOST])
        if len(new) > room:
            image = Image.fromarray(np.concatenate(flat)[None])
            few = image.quantize(room, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            chosen = np.array(few.getpalette(), np.uint8).reshape(-1, 3)[:room]
            return cls(np.unique(np.concatenate([kept, chosen]), axis=0))
        added = np.stack([new >> 16, new >> 8 & 255, new & 255], axis=1).astype(np.uint8)
        return cls(np.concatenate([kept, added]))

    def indices(self, pixels: Pixels) -> Pixels:
        """Return the index of the nearest colour of each pixel.

        Shape:
            - pixels: (..., 3); returns: (...).
        """
        codes, places = np.unique(_codes(pixels.reshape(-1, 3)), return_inverse=True)
        colors = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1).astype(np.float32)
        ours = self.colors.astype(np.float32)
        nearest = np.empty(len(colors), np.uint8)
        for start in range(0, len(colors), 4096):  # not all distances at once
            part = colors[start : start + 4096, None] - ours
            nearest[start : start + 4096] = (part**2).sum(axis=-1).argmin(axis=1)
        return nearest[places].reshape(pixels.shape[:-1])


def _codes(colors: Pixels) -> NDArray[np.uint32]:
    """Return colours (N, 3) as one number each."""
    red, green, blue = colors.astype(np.uint32).T
    return red << 16 | green << 8 | blue
