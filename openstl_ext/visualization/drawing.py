"""Draw a saved sample: frames as a grid, labels as maps."""

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
    """Draw a sample: the steps of a forecast, or predicted labels beside the target.

    Args:
        folder: Folder of saved samples.
        name: Name of the sample, or its beginning.
        channels: Names or numbers of the channels to show.
        rgb: Channels to show as RGB; empty for the default bands.
        interest: For labels, the class to draw against all others, by name or number.
        colormap: Name of matplotlib's colormap of the values or of the probability.
        most_columns: Largest number of columns.

    Raises:
        DataError: If the sample does not exist, or its files do not fit.
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
