"""LTS: segmentation of sites in long time series of satellite images."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import torch
from numpy.typing import NDArray

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.lts.files import check_statistics, open_patches, open_series, size_of
from openstl_ext.datasets.lts.metadata import SeriesFacts
from openstl_ext.datasets.lts.scene import SeriesScene
from openstl_ext.datasets.sensors.augmentation import draw_turns, rotated
from openstl_ext.datasets.synthetic.landscape import write_toy
from openstl_ext.datasets.synthetic.marker import described
from openstl_ext.errors import ConfigError, nearest
from openstl_ext.rasters.window import Scene
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Item, Metainfo
from openstl_ext.value_types import Count


def fill_from_years(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Replace a missing value by that of the nearest earlier year, else of the nearest later one.

    "Nearest" refers to the order of images, however many years lie between. A value that is
    missing in every year stays NaN.

    Args:
        frames: Values, oldest first, NaN where missing.

    Shape:
        - frames, returns: (T, C, H, W).
    """
    seen = ~np.isnan(frames)
    steps = np.arange(len(frames)).reshape(-1, 1, 1, 1)
    earlier = np.maximum.accumulate(np.where(seen, steps, -1), axis=0)
    last = len(frames)
    later = np.minimum.accumulate(np.where(seen, steps, last)[::-1], axis=0)[::-1]
    source = np.where(earlier >= 0, earlier, np.where(later < last, later, steps))
    return np.take_along_axis(frames, source, axis=0)


Fill = Literal["mean", "nearest_year"]


def _left_missing(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the frames unchanged: the preprocessor replaces missing values by the mean."""
    return frames


FILLS: Mapping[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "mean": _left_missing,
    "nearest_year": fill_from_years,
}


@final
@DATASETS.register_module()
class LTSSegmentation(SequenceDataset):
    """Yearly images of a patch as input, the class of each pixel as target.

    Files:
        One of three formats, all with ``stack.json`` (years, bands, nodata, scale, classes) and
        ``statistics.json``. All give identical items:

        - ``landsat_stack.npy`` (years, bands, H, W) of any real number type, ``label.npy`` (H, W)
          and ``<split>_coords.npy`` (N, 2), first row and column of each patch;
        - ``images/<name>.npy`` (years, bands, P, P), ``labels/<name>.npy`` (P, P) and
          ``splits/<split>.txt``, a name per line;
        - GeoTIFF, one raster per year (``<any>_<year>.tif``) or one with a band for each year and
          band, and ``label.tif``, with ``<split>_coords.npy`` or ``blocks.json``.

        Made from your own or the published files by ``openstl-ext data lts``.

    Channels and units:
        Bands by name, in the unit of ``stack.json``: stored numbers times its scale. NaN and not
        valid where the observation is missing.

    Splits:
        Blocks of the area with a buffer between them, drawn by the tool.

    Licence:
        That of your images. The published images and labels are not public.

    Args:
        root: Folder of the data.
        split: One of train, val, test.
        num_years: Number of the newest years to use; all if not given.
        bands: Names of the bands, in order; all as stored if not given.
        patch_size: Side of a patch in pixels, as it was cut.
        fill: ``mean`` leaves a missing value invalid, and the preprocessor replaces it by the mean;
            ``nearest_year`` uses the valid value of the nearest earlier year, else of the nearest
            later one, and the mean where all years are missing.
        augment: Mirror and rotate patches by quarter turns, with their labels; for training.
        ignore_index: Label of unknown pixels.

    Shape:
        - ``item["inputs"]``: frames and valid, (T, C, P, P).
        - ``item["data_samples"]``: labels and valid, (P, P); 0 and not valid where unknown.

    Raises:
        DatasetNotFoundError: If files are missing; it gives the command that writes them.
        DataError: If files disagree, or a label is not a class.
        ConfigError: If requested years or bands do not exist.

    Source:
        Data of the training script of ST-Mamba; its pickle is converted, not read.

    Deviations:
        Upstream treats a missing observation as an ordinary number and an unreadable label as
        background. It uses the newest years, as here.
    """

    card = Card(marks=(("stack.json",),), note="The published images and labels are not public.")
    metainfo = Metainfo(name="lts", channels=(), classes=("background", "site"), lead=(1, "yr"))
    flag_arguments = {"frames_in": "num_years", "size": "patch_size"}

    def __init__(
        self,
        *,
        root: str = "data/lts",
        split: str,
        num_years: Count | None = None,
        bands: Sequence[str] | None = None,
        patch_size: Count = 128,
        fill: Fill = "mean",
        augment: bool = False,
        ignore_index: int = 255,
    ) -> None:
        if augment and self.check_split(split) != "train":
            raise ConfigError(f"augment is for training; remove it from the {split} dataset")
        self.patches = open_patches(Path(root), self.check_split(split), patch_size)
        facts = self.patches.facts
        if 0 <= ignore_index < len(facts.classes):
            name = facts.classes[ignore_index]
            raise ConfigError(
                f"ignore_index {ignore_index} is the class {name!r}; use another number"
            )
        self._years, self._bands = facts.newest(num_years), facts.places(bands)
        self._fill, self._augment, self._ignored = _fill_of(fill), augment, ignore_index
        self.metainfo = described(_metainfo(facts, self._years, self._bands), Path(root))
        check_statistics(Path(root), facts, self.metainfo.labels)

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return the side of the patches that were cut."""
        return {"patch_size": size_of(root)}

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write a synthetic landscape of patches of 16 pixels, as a stack."""
        write_toy(root)

    @classmethod
    def scene(cls, source: Path, settings: Mapping[str, Any]) -> Scene:
        """Open an area for a map: a folder, array or raster; a label is not needed.

        Args:
            source: The series, with ``stack.json`` in the same folder as for training.
            settings: Arguments of the dataset in the config.
        """
        series = open_series(Path(source), labelled=False)
        return SeriesScene(
            series,
            years=series.facts.newest(settings.get("num_years")),
            bands=series.facts.places(settings.get("bands")),
            fill=_fill_of(settings.get("fill", "mean")),
        )

    def __len__(self) -> int:
        return len(self.patches.names)

    def __getitem__(self, index: int) -> Item:
        frames = torch.from_numpy(self._fill(self._observed(index)))
        labels = torch.from_numpy(self.patches.labels(index, self._ignored))
        if self._augment:
            turns = draw_turns()
            frames, labels = rotated(frames, *turns), rotated(labels, *turns)
        valid = torch.from_numpy(~np.isnan(frames.numpy()))  # ten times faster than torch.isnan
        known = labels != self._ignored
        return {
            "inputs": {"frames": frames, "valid": valid},
            "data_samples": {"labels": torch.where(known, labels, 0), "valid": known},
        }

    def sample_id(self, index: int) -> str:
        """Return the name of the patch: its first row and column, or that of its file."""
        return self.patches.names[index]

    def missing_share(self) -> float:
        """Compute the share of missing observations before filling; reads all samples."""
        shares = [float(np.isnan(self._observed(index)).mean()) for index in range(len(self))]
        return float(np.mean(shares))

    def _observed(self, index: int) -> NDArray[np.float32]:
        return self.patches.frames(index, self._years, self._bands)


def _fill_of(name: str) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    if name not in FILLS:
        raise ConfigError(f"fill {name!r} does not exist; {nearest(name, FILLS)}")
    return FILLS[name]


def _metainfo(facts: SeriesFacts, years: slice, bands: Sequence[int]) -> Metainfo:
    return Metainfo(
        name="lts",
        channels=facts.channels(bands),
        lead=(1, "yr"),
        classes=facts.classes,
        years=facts.years[years],
    )
