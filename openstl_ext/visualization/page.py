"""A page in pixels: panels start and end on whole pixels, so data pixels stay sharp."""

import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from openstl_ext.errors import printable
from openstl_ext.visualization.style import DPI, FAINT, FONT, INK, LINE


class Page:
    """One canvas without axes; positions are pixels from the top left corner.

    Without pyplot there is no display, no global state and nothing to close.

    Args:
        width: Width in pixels.
        height: Height in pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()

    def image(
        self,
        values: NDArray[Any],
        box: tuple[int, int, int, int],
        *,
        cmap: Colormap | None = None,
        norm: Normalize | None = None,
    ) -> None:
        """Draw an array into a box (left, top, width, height) with a thin frame.

        Shape:
            - values: (H, W), or (H, W, 4) for colours.
        """
        left, top, width, height = box
        # an enlarged array keeps square pixels, a reduced one is averaged
        enlarged = width >= values.shape[1] and height >= values.shape[0]
        self.axes.imshow(
            values,
            cmap=cmap,
            norm=norm,
            extent=(left, left + width, top + height, top),
            interpolation="nearest" if enlarged else "auto",
            aspect="auto",
        )
        self.frame(box)

    def frame(
        self,
        box: tuple[int, int, int, int],
        *,
        fill: str = "none",
        edge: str = LINE,
        line: str = "solid",
        hatch: str | None = None,
    ) -> None:
        """Draw a box with a thin line, which also has the colour of the hatch."""
        left, top, width, height = box
        style: dict[str, Any] = {"edgecolor": edge, "linestyle": line, "hatch": hatch}
        self.axes.add_patch(
            Rectangle((left, top), width, height, linewidth=0.5, facecolor=fill, **style)
        )

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a thin line between two points (left, top), below all boxes."""
        (left, top), (right, bottom) = start, end
        self.axes.plot((left, right), (top, bottom), color=LINE, linewidth=0.5, zorder=0)

    def text(
        self,
        left: float,
        top: float,
        words: str,
        *,
        size: float = 7.5,
        align: str = "center",
        vertical: str = "center",
        color: str = INK,
        weight: str = "normal",
        upright: bool = False,
    ) -> None:
        """Write text at a position; upright text is read from below."""
        shown = " ".join(printable(words).split())
        written = self.axes.text(left, top, shown, ha=align, va=vertical, parse_math=False)
        written.set(family=FONT, fontsize=size, color=color, fontweight=weight)
        written.set_rotation(90 if upright else 0)

    def colorbar(
        self,
        box: tuple[int, int, int, int],
        *,
        cmap: Colormap,
        norm: Normalize,
        label: str,
    ) -> None:
        """Draw a colour bar into a box, with its numbers to the right.

        A label that is longer than the bar is shortened, because it would reach into the next.
        """
        left, top, width, height = box
        place = (
            left / self.width,
            1 - (top + height) / self.height,
            width / self.width,
            height / self.height,
        )
        axes = self.figure.add_axes(place)
        bar = self.figure.colorbar(ScalarMappable(norm, cmap), cax=axes)
        bar.locator = MaxNLocator(nbins=max(2, min(6, height // 55)), steps=[1, 2, 2.5, 5, 10])
        bar.update_ticks()
        bar.outline.set(edgecolor=LINE, linewidth=0.5)  # type: ignore[operator]
        axes.tick_params(labelsize=6.5, length=2, width=0.5, pad=2, color=FAINT, labelcolor=INK)
        axes.yaxis.get_offset_text().set(fontsize=6.5, family=FONT)
        for tick in axes.get_yticklabels():
            tick.set_fontfamily(FONT)
        about: dict[str, Any] = {"fontsize": 7, "color": FAINT, "family": FONT, "labelpad": 5}
        axes.set_ylabel(fitted(printable(label), height, 7), parse_math=False, **about)

    def pixels(self) -> NDArray[np.uint8]:
        """Return the page as an array of colours.

        Shape:
            - returns: (H, W, 3), RGB.
        """
        self.axes.set(xlim=(0, self.width), ylim=(self.height, 0))
        self.canvas.draw()
        return np.array(self.canvas.buffer_rgba())[..., :3]

    def png(self) -> bytes:
        """Return the page as PNG; equal pages give equal bytes."""
        self.axes.set(xlim=(0, self.width), ylim=(self.height, 0))
        out = io.BytesIO()
        # without the version of matplotlib, so that an update changes no figure
        self.figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
        return out.getvalue()


def fitted(words: str, room: float, size: float) -> str:
    """Return a text, or its two ends where it is wider than the room in pixels."""
    if (width := text_width(words, size)) <= room:
        return words
    keep = max(4, int(len(words) * room / width) // 2 - 2)
    return f"{words[:keep]}...{words[-keep:]}"


def text_width(words: str, size: float) -> int:
    """Return an upper estimate of the width of a line of text, in pixels."""
    return int(np.ceil(0.62 * size / 72 * DPI * len(words)))
