"""The picture that suits what was saved."""

from collections.abc import Sequence

from openstl_ext.visualization.grid import draw_grid
from openstl_ext.visualization.page import Page
from openstl_ext.visualization.saved import SavedFolder
from openstl_ext.visualization.segmentation import COLORMAP, draw_segmentation


def draw_saved(
    folder: SavedFolder,
    name: str,
    *,
    channels: Sequence[str] = (),
    rgb: Sequence[str] | None = None,
    interest: str | None = None,
    colormap: str | None = None,
    most_columns: int = 12,
) -> Page:
    """Draw a sample: a forecast step by step, or a map of labels beside its truth.

    Args:
        folder: Where it was saved.
        name: Of the sample.
        channels: Names or numbers of the channels to show.
        rgb: The same, as colours; those that there are if it is empty.
        interest: Of labels, the class to draw against all others, by name or number.
        colormap: Map of the values, or of the probability, any of matplotlib's.
        most_columns: Steps of a forecast shown at most.

    Raises:
        DataError: If there is no such sample, or its files do not fit.
        UserError: If a channel, a class or a colormap does not exist.
    """
    picked = [*channels, *(rgb or ())]
    if folder.holds_labels:
        return draw_segmentation(
            folder.load_labels(folder.find(name)),
            folder.about,
            bands=picked,
            interest=interest,
            colormap=colormap or COLORMAP,
        )
    return draw_grid(
        folder.load(folder.find(name)),
        folder.about,
        picked=picked,
        rgb=rgb is not None,
        colormap=colormap or "viridis",
        most_columns=most_columns,
    )
