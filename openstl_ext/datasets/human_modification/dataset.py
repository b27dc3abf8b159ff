"""Human Modification: an index of the change of land by people, every five years."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import torch

from openstl_ext.datasets.base import SPLITS as USUAL_SPLITS
from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import Card
from openstl_ext.datasets.human_modification.files import INDEX, PREPARE, find
from openstl_ext.datasets.human_modification.rasters import (
    YEARS,
    ZERO_WHERE_MISSING,
    HMChoice,
    HMRasters,
    HMScene,
)
from openstl_ext.datasets.human_modification.split import SPLIT, read_split
from openstl_ext.datasets.synthetic.continent_files import write_toy
from openstl_ext.datasets.synthetic.marker import described
from openstl_ext.errors import ConfigError, DataError, nearest
from openstl_ext.frame_rules import FrameRules
from openstl_ext.rasters.layer import RasterLayer
from openstl_ext.rasters.window import Scene, Window
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Channel, Item, Metainfo
from openstl_ext.value_types import Count, Share

SPLITS = (*USUAL_SPLITS, "calibration")
MODES = ("random", "grid")
NUM_INPUTS = 3
MAX_DRAWS = 50
"""Number of chips drawn for one item until one has enough data."""


@final
@DATASETS.register_module()
class HumanModification(SequenceDataset):
    """Three maps of a chip of land and covariates as input, the following maps as target.

    Files:
        GeoTIFFs on one grid, in ``root`` or its subfolders, under either naming scheme:
        ``HM_<year>_1km.tif`` and ``SRTM_Elevation_1km.tif``, or ``HM_<year>_<name>_1000.tiff`` and
        ``hm_static_<name>_1000.tiff``. Scale, offset, nodata and CRS are taken from each file.
        ``split.json`` beside them: ``openstl-ext data human-modification split``.

    Channels and units:
        The target in the unit of the files, 0-1 or 0-10000, as declared by ``values``; covariates
        in theirs. The tool's subcommand ``statistics`` computes mean and standard deviation.

    Splits:
        Blocks of the raster, assigned to train, val, test and calibration by the tool. All pixels
        of a chip are in blocks of its split, at the distance of a buffer from other splits.

    Licence:
        That of the record from which they are downloaded (the index: Zenodo 16907328).

    Args:
        root: Folder of the rasters.
        split: One of train, val, test, calibration.
        target: Variable to forecast: ``HM``, or ``AA`` of the newer files.
        dynamic: Names of covariates with a raster per year.
        static: Names of covariates that do not change; ``elevation`` is that of SRTM.
        num_inputs: Number of input maps.
        num_targets: Number of target maps; those after the last year are missing.
        years: Years of the rasters.
        end_years: Last years of the inputs; by default all that have enough inputs before and a
            target after. Random mode draws one per chip; in grid mode each is a separate sample.
        values: Range of the target in the files.
        zero_where_missing: Covariates whose gaps become 0. A gap of another covariate or of the
            target makes a pixel missing.
        lonlat: Whether to return the longitude and latitude of each pixel.
        chip_size: Side of a chip, in pixels.
        stride: Distance between chips of the grid, in pixels; a chip size if not given.
        mode: ``grid`` returns all chips of a grid; ``random`` draws chips anywhere in the split.
        chips_per_epoch: Number of chips in random mode.
        min_valid: Smallest share of pixels of a chip with known inputs and first target. Other
            chips are omitted from the grid, or drawn again.
        files: Pattern of the file names to consider.

    Shape:
        - ``item["inputs"]``: frames and valid (T, 1, H, W); dynamic (T, C, H, W), static (C, H, W)
          and lonlat (2, H, W) if requested.
        - ``item["data_samples"]``: frames and valid (T', 1, H, W), valid where that target and
          all inputs are known.

    Raises:
        DatasetNotFoundError: If the folder or the split does not exist.
        DataError: If a raster is missing, on another grid or outside the declared range, or no chip
            has enough data; it names the file.
        ConfigError: If arguments are invalid or inconsistent.

    Source:
        Theobald et al. 2025 (Sci Data 12:606); GMoncrieff/spatio-temporal@4eb523d and @d765a15.

    Deviations:
        Upstream validates on training areas (its grid ignores the split), lets training chips
        extend into other blocks, and requires fewer inputs for a map than for a sample; this
        dataset does not. Its first version counts pixels with missing inputs; here a target is
        valid only where all inputs are known.
    """

    splits = SPLITS
    card = Card(
        marks=(("HM_[0-9][0-9][0-9][0-9]*.tif*",), ("*/HM_[0-9][0-9][0-9][0-9]*.tif*",)),
        note="Maps of the world of 1 km, a raster per year and variable.",
    )
    metainfo = Metainfo(name="human_modification", channels=(Channel("HM"),), lead=(5, "yr"))
    flag_arguments = {"size": "chip_size"}

    def __init__(
        self,
        *,
        root: str = "data/human_modification",
        split: str,
        target: str = "HM",
        dynamic: Sequence[str] = (),
        static: Sequence[str] = (),
        num_inputs: Count = NUM_INPUTS,
        num_targets: Count = 4,
        years: Sequence[int] = YEARS,
        end_years: Sequence[int] | None = None,
        values: Literal["0-1", "0-10000"] = "0-1",
        zero_where_missing: Sequence[str] = ZERO_WHERE_MISSING,
        lonlat: bool = False,
        chip_size: Count = 128,
        stride: Count | None = None,
        mode: Literal["random", "grid"] = "grid",
        chips_per_epoch: Count = 200,
        min_valid: Share = 0.1,
        files: str = "*",
    ) -> None:
        if split not in SPLITS:
            raise ConfigError(f"split {split!r} does not exist; {nearest(split, SPLITS)}")
        if mode not in MODES:
            raise ConfigError(f"mode {mode!r} does not exist; {nearest(mode, MODES)}")
        if not 0 < min_valid <= 1 or min(num_inputs, num_targets, chips_per_epoch) < 1:
            raise ConfigError(
                f"min_valid {min_valid} must be in (0, 1], and num_inputs {num_inputs}, "
                f"num_targets {num_targets}, chips_per_epoch {chips_per_epoch} at least 1"
            )
        choice = HMChoice(
            target=target,
            dynamic=tuple(dynamic),
            static=tuple(static),
            years=tuple(years),
            values=values,
            zero_where_missing=tuple(zero_where_missing),
            lonlat=lonlat,
            files=files,
        )
        self.split, self.choice = split, choice
        self.num_inputs, self.num_targets = num_inputs, num_targets
        self.chip_size, self.min_valid = chip_size, min_valid
        self.chips_per_epoch, self._is_random = chips_per_epoch, mode == "random"
        self.end_years = _end_years(choice, num_inputs, end_years)
        self.rasters = HMRasters(Path(root), choice)
        options = ("--target", target, "--chip-size", str(chip_size))
        self.blocks, self.buffer = read_split(Path(root) / SPLIT, self.rasters.grid, options)
        self.chips = [] if self._is_random else self._grid(stride or chip_size)
        self.metainfo = described(self._metainfo(), Path(root))

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write a synthetic continent under both naming schemes, for chips of 16 pixels."""
        write_toy(root)

    @classmethod
    def scene(cls, source: Path, settings: Mapping[str, Any]) -> Scene:
        """Open the newest years of a folder of rasters for a map.

        Args:
            source: Folder; older years, targets and a split are not needed.
            settings: Arguments of the dataset in the config.
        """
        names = {field.name for field in fields(HMChoice) if field.init}
        choice = HMChoice(**{name: settings[name] for name in names & set(settings)})
        newest = choice.years[-int(settings.get("num_inputs", NUM_INPUTS)) :]
        return HMScene(HMRasters(Path(source), choice, years=newest))

    def __len__(self) -> int:
        return self.chips_per_epoch if self._is_random else len(self.chips)

    def __getitem__(self, index: int) -> Item:
        if not self._is_random:
            return self._item(*self.chips[index])
        # numpy is seeded from (seed, epoch, index) by the loader
        rng = np.random.default_rng(np.random.randint(0, 2**32, 4, dtype=np.uint32))
        for _ in range(MAX_DRAWS):
            window = self.blocks.draw_window(
                self.split, size=self.chip_size, buffer=self.buffer, rng=rng
            )
            end = int(rng.choice(self.end_years))
            item = self._item(window, end)
            if float(item["data_samples"]["valid"][0].float().mean()) >= self.min_valid:
                return item
        raise self._no_data(f"{MAX_DRAWS} random chips", window, end)

    def sample_id(self, index: int) -> str:
        """Return row and column of the chip and the last input year; a number if it is random."""
        if self._is_random:
            return f"{self.split}-{index:05d}"
        window, end = self.chips[index]
        return f"r{window.row:05d}_c{window.column:05d}_{end}"

    def block_id(self, index: int) -> str | None:
        """Return row and column of the chip: its years depend on each other; None if random."""
        return None if self._is_random else self.sample_id(index).rpartition("_")[0]

    def target_names(self, index: int) -> list[str]:
        """Return the year of each target map; none in random mode."""
        return [] if self._is_random else [str(year) for year in self._future(self.chips[index][1])]

    def _item(self, window: Window, end: int) -> Item:
        inputs = self.rasters.inputs(window, self._past(end))
        target = self.rasters.frames(window, self._future(end))
        valid = np.isfinite(target) & inputs["valid"][-1]
        fields: Any = {name: torch.from_numpy(values) for name, values in inputs.items()}
        return {
            "inputs": fields,
            "data_samples": {"frames": torch.from_numpy(target), "valid": torch.from_numpy(valid)},
        }

    def _past(self, end: int) -> list[int]:
        return [end - self.choice.step * k for k in reversed(range(self.num_inputs))]

    def _future(self, end: int) -> list[int]:
        return [end + self.choice.step * k for k in range(1, self.num_targets + 1)]

    def _grid(self, stride: int) -> list[tuple[Window, int]]:
        """Return the chips with enough data, and the last years of their inputs."""
        windows = self.blocks.windows(
            self.split, size=self.chip_size, stride=stride, buffer=self.buffer
        )
        found = []
        places = {year: place for place, year in enumerate(self.choice.years)}
        seen = np.zeros(len(places), bool)
        for window in windows:
            has_target, has_inputs = self.rasters.availability(window)
            seen |= has_target.any(axis=(1, 2))
            for end in self.end_years:
                known = has_inputs[[places[year] for year in self._past(end)]].all(axis=0)
                if (known & has_target[places[end] + 1]).mean() >= self.min_valid:
                    found.append((window, end))
        for year in np.array(self.choice.years)[~seen].tolist():
            warnings.warn(
                f"{self.rasters.path(self.choice.target, year)} has no data in split "
                f"{self.split!r}, so that all samples with {year} are left out; correct its nodata "
                "tag, or remove the year",
                stacklevel=4,
            )
        if not found:
            raise self._no_data(
                f"{len(windows)} chips of the grid", windows[-1], self.end_years[-1]
            )
        return found

    def _no_data(self, chips: str, window: Window, end: int) -> DataError:
        path, share = self.rasters.emptiest(window, [*self._past(end), end + self.choice.step])
        return DataError(
            f"{self.rasters.root}: none of {chips} in split {self.split!r} has "
            f"{self.min_valid:.0%} known pixels; in {window} the emptiest raster is {path} "
            f"({share:.0%} known); lower min_valid, correct the raster, or add the variable to "
            "zero_where_missing if its gaps mean 0; the shares of all rasters are listed by "
            f"`{PREPARE} verify --root {self.rasters.root}`"
        )

    @classmethod
    def arguments_for(cls, root: Path) -> dict[str, Any]:
        """Return target and years of the rasters, the range of their type, and a fitting chip."""
        found = find(root)
        target = INDEX if any(name == INDEX for name, _ in found) else "AA"
        years = tuple(sorted(year for name, year in found if name == target and year))
        layer = RasterLayer(found[target, years[0]][0]) if years else None
        whole = layer and np.dtype(layer.file.dataset.dtypes[0]).kind in "iu"
        values = "0-10000" if whole and layer and layer.scaling == (1, 0) else "0-1"
        if layer is None:
            return {}
        blocks, buffer = read_split(root / SPLIT, layer.grid)
        size = max(1, min(128, blocks.block_size - 2 * buffer))
        return {"target": target, "years": years, "values": values, "chip_size": size}

    @classmethod
    def frame_rules(cls, settings: Mapping[str, Any]) -> FrameRules:
        """Return the rules of the target and the range in the config."""
        target, values = settings.get("target", "HM"), settings.get("values", "0-1")
        return FrameRules.of([Channel(target, values)])

    def _metainfo(self) -> Metainfo:
        choice = self.choice
        return Metainfo(
            name=type(self).metainfo.name,
            channels=choice.channels,
            lead=(choice.step, "yr"),
            years=tuple(self._past(self.end_years[0])) if len(self.end_years) == 1 else (),
        )


def _end_years(
    choice: HMChoice, num_inputs: int, requested: Sequence[int] | None
) -> tuple[int, ...]:
    """Return the last years of inputs."""
    possible = choice.years[num_inputs - 1 : -1]
    if not possible:
        raise ConfigError(
            f"{num_inputs} inputs and a target need {num_inputs + 1} years, but years has "
            f"{len(choice.years)}; add years or lower num_inputs"
        )
    ends = possible if requested is None else tuple(requested)
    if not ends or not set(ends) <= set(possible):
        listed = ", ".join(map(str, possible))
        raise ConfigError(f"end_years are {list(ends)}; choose from {listed}")
    return ends
