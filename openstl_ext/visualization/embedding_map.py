"""Maps of embeddings: the first three principal components as colours."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.typing import NDArray

from openstl_ext.visualization.legend import Legend, panel_size
from openstl_ext.visualization.page import Page, fitted, text_width
from openstl_ext.visualization.style import FAINT, NO_DATA

Array = NDArray[np.float32]

LOW, HIGH = 2, 98
"""Percentiles of a component that become 0 and 1."""
EVEN = 0.5
"""Value of a component that does not exist."""
MARGIN, TITLE, HEADING, GAP, PANEL = 28, 40, 34, 20, 420


def pca_rgb(maps: Sequence[Array]) -> tuple[list[Array], list[float]]:
    """Return the first three principal components of all maps together, as red, green and blue.

    The sign of a component is that of its largest weight, so equal features have equal colours.
    Colours of separate calls do not compare: pass maps that belong together in one call.

    Args:
        maps: Features of patches or pixels, normalised or not; a place with NaN has no colour.

    Shape:
        - each map: (h, w, D), h and w of any size; each colour map: (h, w, 3) in [0, 1], NaN
          without features.

    Returns:
        The colours, and the share of the variance of each component.

    Raises:
        ValueError: If no place has features.
    """
    depth = maps[0].shape[-1]
    rows = np.concatenate([np.asarray(x, np.float64).reshape(-1, depth) for x in maps])
    known = np.isfinite(rows).all(axis=1)
    if not known.any():
        raise ValueError("no place has finite features")
    centred = rows[known] - rows[known].mean(axis=0)
    # of the covariance, whose size is that of the features and not that of the raster
    _, variances, components = np.linalg.svd(centred.T @ centred)
    total = float(variances.sum())
    colors = np.full((len(rows), 3), np.nan)
    colors[known] = EVEN
    shares = []
    for number in range(min(3, depth)):
        if variances[number] <= 1e-12 * total or not total:
            break
        weights = components[number]
        weights = weights * np.sign(weights[np.abs(weights).argmax()])
        values = centred @ weights
        low, high = np.percentile(values, (LOW, HIGH))
        if high > low:
            colors[known, number] = np.clip((values - low) / (high - low), 0, 1)
        shares.append(float(variances[number]) / total)
    ends = np.cumsum([x.shape[0] * x.shape[1] for x in maps])[:-1]
    parts = np.split(colors.astype(np.float32), ends)
    return [p.reshape(*x.shape[:2], 3) for p, x in zip(parts, maps, strict=True)], shares


def draw_embedding(
    image: Array, features: Array, *, title: str = "", shares: Sequence[float] | None = None
) -> Page:
    """Draw an image and the colours of its features side by side.

    Args:
        image: The image, in [0, 1]; NaN where there is no data.
        features: Features of its patches or pixels.
        title: First line.
        shares: Share of the variance of all features that each of ``features`` has, if these are
            principal components; else components are computed.

    Shape:
        - image: (H, W, 3); features: (h, w, D).
    """
    (colors,), computed = pca_rgb([features])
    shares = computed if shares is None else list(shares)[: len(computed)]
    width, height = panel_size(image.shape[0], image.shape[1], PANEL)
    explained = " + ".join(f"{100 * share:.0f} %" for share in shares)
    names = ["red", "green", "blue"][: len(shares)]
    note = (
        f"Principal components as {', '.join(names)}: {explained} of the variance of the features"
    )
    note = note if shares else "All patches have equal features"
    size = f"features of {features.shape[0]} x {features.shape[1]} patches"
    has_gaps = bool(np.isnan(colors).any() or np.isnan(image).any())
    legend = Legend(((to_hex(NO_DATA), "no data"),) if has_gaps else (), 200)
    pitch = max(width, text_width(size, 8.5)) + GAP  # a narrow image has a wide name
    right = max(2 * MARGIN + pitch + width, 2 * MARGIN + text_width(note, 6.5))
    right = max(right, MARGIN + pitch + pitch)
    page = Page(right, 2 * MARGIN + TITLE + HEADING + height + GAP + has_gaps * legend.height)
    heading = fitted(title or "features", right - 2 * MARGIN, 9.5)
    page.text(MARGIN, MARGIN, heading, align="left", size=9.5, weight="bold")
    for column, (name, panel) in enumerate((("image", image), (size, colors))):
        box = (MARGIN + column * pitch, MARGIN + TITLE + HEADING, width, height)
        page.text(box[0] + width / 2, box[1] - HEADING * 0.42, name, size=8.5)
        page.image(np.where(np.isnan(panel), to_rgb(NO_DATA), panel), box)
    below = MARGIN + TITLE + HEADING + height + GAP
    legend.draw(page, MARGIN, below + MARGIN // 2)
    page.text(MARGIN, below, note, align="left", size=6.5, color=FAINT)
    return page
