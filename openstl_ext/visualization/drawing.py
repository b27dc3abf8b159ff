"""Draw saved samples: frames as a grid, labels as maps, all labels as a confusion matrix."""

from collections.abc import Sequence

from openstl_ext.errors import UserError
from openstl_ext.visualization.confusion_matrix import draw_confusion
from openstl_ext.visualization.grid import draw_grid
from openstl_ext.visualization.label_maps import class_names
from openstl_ext.visualization.label_scores import draw_label_scores
from openstl_ext.visualization.page import Page
from openstl_ext.visualization.saved import SavedFolder
from openstl_ext.visualization.saved_scenes import SavedScenes, confusion_of, pairs_of_maps
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
        UserError: If a channel, a class or a colormap does not exist, or the samples have no map.
    """
    if folder.holds_scenes:
        raise UserError(_without_maps(folder))
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


def draw_all_labels(folder: SavedFolder, name: str | None = None) -> Page:
    """Draw which classes are predicted instead of which, in all samples or in one label map.

    Where samples have several labels each, the scores of each class are drawn.

    Args:
        folder: Folder of saved labels.
        name: Name of a sample with a label map, or its beginning.

    Raises:
        DataError: If the sample does not exist, or its files do not fit.
        UserError: If the predictions are frames, or a sample without a map is named.
    """
    title = str(folder.about.get("config") or "")
    if folder.holds_scenes and name is None:
        scenes = SavedScenes.read(folder)
        number = scenes.probability.shape[1]
        classes = class_names(folder.about, number)
        if scenes.target.ndim == 2:
            return draw_label_scores(scenes.target, scenes.labels, classes, title=title)
        counts = confusion_of([(scenes.target, scenes.labels)], number, folder.path)
        return draw_confusion(counts, classes, title=title)
    if not folder.holds_labels:
        frames = f"the predictions of {folder.path} are frames, not labels; remove --confusion"
        raise UserError(_without_maps(folder) if folder.holds_scenes else frames)
    names = folder.sample_ids if name is None else [folder.find(name)]
    number = len(folder.load_labels(names[0]).probability)
    counts = confusion_of(pairs_of_maps(folder, names), number, folder.path)
    classes = class_names(folder.about, number)
    return draw_confusion(counts, classes, title=title, unit="pixels")


def _without_maps(folder: SavedFolder) -> str:
    return (
        f"the samples of {folder.path} have labels, not maps; leave out SAMPLE_ID to draw the "
        "labels of all"
    )
