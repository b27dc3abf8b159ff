"""Human Modification: how far people have changed the land, every five years."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import torch

from openstl_ext.datasets.base import SPLITS as USUAL_SPLITS
from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.human_modification.files import PREPARE
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
from openstl_ext.rasters.scene import Scene
from openstl_ext.rasters.window import Window
from openstl_ext.registry import DATASETS
from openstl_ext.structures import Item, Metainfo

SPLITS = (*USUAL_SPLITS, "calibration")
MODES = ("random", "grid")
NUM_INPUTS = 3
MAX_DRAWS = 50
"""Chips that are drawn for one item before it is an error that none has enough data."""


@final
@DATASETS.register_module()
class HumanModification(SequenceDataset):
    """Three maps of a chip of land in, the next ones out, with what surrounds them.

    Files:
        GeoTIFFs on one grid, in ``root`` or a folder of it, in either way of naming:
        ``HM_<year>_1km.tif`` and ``SRTM_Elevation_1km.tif``, or ``HM_<year>_<name>_1000.tiff`` and
        ``hm_static_<name>_1000.tiff``. Scale, offset, nodata and CRS are taken from each file.
        ``split.json`` beside them: ``tools/prepare_data/human_modification.py split``.

    Channels and units:
        The target in the unit of the files, 0-1 or 0-10000, as declared by ``values``; covariates
        in theirs. Statistics to scale them by: the same tool, ``statistics``.

    Splits:
        Blocks of the raster, dealt out to train, val, test and calibration by the tool. A chip
        lies wholly within blocks of its split, and a buffer away from those of others.

    Licence:
        As the record says that you take them from (the index: Zenodo 16907328).

    Args:
        root: Folder of the rasters.
        split: One of train, val, test, calibration.
        target: Variable that is forecast: ``HM``, or ``AA`` of the newer files.
        dynamic: Covariates of each year, by name.
        static: Covariates that do not change, by name; ``elevation`` is that of SRTM.
        num_inputs: Maps that are shown.
        num_targets: Maps that are asked for; those after the last year are missing.
        years: Of the rasters.
        end_years: Last year of the inputs; all that have inputs before and a truth after if not
            given. One a chip is drawn in random mode, each is a sample of its own in grid mode.
        values: Range of the target as the files have it.
        zero_where_missing: Covariates whose gaps become 0. The gaps of others, as of the target,
            make a pixel missing.
        lonlat: Whether to yield the longitude and latitude of each pixel.
        chip_size: Side of a chip, in pixels.
        stride: Between chips of the grid, in pixels; as wide as a chip if not given.
        mode: ``grid`` yields all chips of a grid; ``random`` draws chips anywhere in the split.
        chips_per_epoch: Chips that are drawn in random mode.
        min_valid: Share of a chip's pixels of which the first target and all inputs must be known;
            others are not in the grid, and are drawn again.
        files: Pattern of the file names that are looked at.

    Shape:
        - ``item["inputs"]``: frames and valid (T, 1, H, W); dynamic (T, C, H, W), static (C, H, W)
          and lonlat (2, H, W) if asked for.
        - ``item["data_samples"]``: frames and valid (T', 1, H, W), valid where that target and
          all inputs are known.

    Raises:
        DatasetNotFoundError: If there is no such folder, or no split.
        DataError: If a raster is absent, on another grid or outside the declared range, or no chip
            has enough data; it names the file.
        ConfigError: If arguments do not go together.

    Source:
        Theobald et al. 2025 (Sci Data 12:606); GMoncrieff/spatio-temporal@4eb523d and @d765a15.

    Deviations:
        Upstream validates where it trains (its grid ignores the split), lets training chips cross
        blocks, and asks of a map fewer inputs than of a sample; none of it here. Its first version
        counts pixels whose past is missing; here a truth counts where all inputs are known.
    """

    metainfo = Metainfo(name="human_modification", channels=("HM",), lead=(5, "yr"))

    def __init__(
        self,
        *,
        root: str = "data/human_modification",
        split: str,
        target: str = "HM",
        dynamic: Sequence[str] = (),
        static: Sequence[str] = (),
        num_inputs: int = NUM_INPUTS,
        num_targets: int = 4,
        years: Sequence[int] = YEARS,
        end_years: Sequence[int] | None = None,
        values: Literal["0-1", "0-10000"] = "0-1",
        zero_where_missing: Sequence[str] = ZERO_WHERE_MISSING,
        lonlat: bool = False,
        chip_size: int = 128,
        stride: int | None = None,
        mode: Literal["random", "grid"] = "grid",
        chips_per_epoch: int = 200,
        min_valid: float = 0.1,
        files: str = "*",
    ) -> None:
        if split not in SPLITS:
            raise ConfigError(f"{split!r} is no split; {nearest(split, SPLITS)}")
        if mode not in MODES:
            raise ConfigError(f"mode {mode!r} is unknown; {nearest(mode, MODES)}")
        if not 0 < min_valid <= 1 or min(num_inputs, num_targets, chips_per_epoch) < 1:
            raise ConfigError(
                f"min_valid {min_valid} must lie in (0, 1], and num_inputs {num_inputs}, "
                f"num_targets {num_targets}, chips_per_epoch {chips_per_epoch} be 1 or more"
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
        self.blocks, self.buffer = read_split(Path(root) / SPLIT, self.rasters.grid)
        self.chips = [] if self._is_random else self._grid(stride or chip_size)
        self.metainfo = described(self._metainfo(), Path(root))

    @classmethod
    def make_toy(cls, root: Path) -> None:
        """Write a synthetic land with all variables in both ways of naming, chips of 16 pixels."""
        write_toy(root)

    @classmethod
    def scene(cls, source: Path, settings: Mapping[str, Any]) -> Scene:
        """An area to map from the newest years of a folder of rasters.

        Args:
            source: Folder; older years, a split and truth need not be there.
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
        # whoever calls has seeded numpy from (seed, epoch, index)
        chance = np.random.default_rng(np.random.randint(0, 2**32, 4, dtype=np.uint32))
        for _ in range(MAX_DRAWS):
            window = self.blocks.draw_window(
                self.split, size=self.chip_size, buffer=self.buffer, rng=chance
            )
            end = int(chance.choice(self.end_years))
            item = self._item(window, end)
            if float(item["data_samples"]["valid"][0].float().mean()) >= self.min_valid:
                return item
        raise self._bare(f"{MAX_DRAWS} chips that were drawn", window, end)

    def sample_id(self, index: int) -> str:
        """First row and column of the chip and the last year of its inputs; a number if drawn."""
        if self._is_random:
            return super().sample_id(index)
        window, end = self.chips[index]
        return f"r{window.row:05d}_c{window.column:05d}_{end}"

    def target_names(self, index: int) -> list[str]:
        """Year of each map that is asked for; none where a chip and its years are drawn."""
        return [] if self._is_random else [str(year) for year in self._future(self.chips[index][1])]

    def _item(self, window: Window, end: int) -> Item:
        inputs = self.rasters.inputs(window, self._past(end))
        truth = self.rasters.frames(window, self._future(end))
        valid = np.isfinite(truth) & inputs["valid"][-1]
        named: Any = {name: torch.from_numpy(values) for name, values in inputs.items()}
        return {
            "inputs": named,
            "data_samples": {"frames": torch.from_numpy(truth), "valid": torch.from_numpy(valid)},
        }

    def _past(self, end: int) -> list[int]:
        return [end - self.choice.step * k for k in reversed(range(self.num_inputs))]

    def _future(self, end: int) -> list[int]:
        return [end + self.choice.step * k for k in range(1, self.num_targets + 1)]

    def _grid(self, stride: int) -> list[tuple[Window, int]]:
        """Chips with enough data, and the end of their inputs."""
        windows = self.blocks.windows(
            self.split, size=self.chip_size, stride=stride, buffer=self.buffer
        )
        found = []
        places = {year: place for place, year in enumerate(self.choice.years)}
        for window in windows:
            truth, seen = self.rasters.there(window)
            for end in self.end_years:
                known = seen[[places[year] for year in self._past(end)]].all(axis=0)
                if (known & truth[places[end] + 1]).mean() >= self.min_valid:
                    found.append((window, end))
        if not found:
            raise self._bare(f"{len(windows)} chips of the grid", windows[-1], self.end_years[-1])
        return found

    def _bare(self, what: str, window: Window, end: int) -> DataError:
        path, share = self.rasters.barest(window, [*self._past(end), end + self.choice.step])
        return DataError(
            f"{self.rasters.root}: of {what} in split {self.split!r} none has {self.min_valid:.0%} "
            f"of its pixels known; in {window} least is in {path} ({share:.0%}). Lower min_valid, "
            f"mend the raster, or name the variable in zero_where_missing if its gaps mean none; "
            f"shares of all rasters: {PREPARE} verify --root {self.rasters.root}"
        )

    def _metainfo(self) -> Metainfo:
        choice = self.choice
        return Metainfo(
            name=type(self).metainfo.name,
            channels=(choice.target,),
            unit=choice.values,
            lead=(choice.step, "yr"),
            years=tuple(self._past(self.end_years[0])) if len(self.end_years) == 1 else (),
        )


def _end_years(choice: HMChoice, num_inputs: int, asked: Sequence[int] | None) -> tuple[int, ...]:
    """Last years of inputs."""
    possible = choice.years[num_inputs - 1 : -1]
    if not possible:
        raise ConfigError(
            f"{num_inputs} inputs and a target need {num_inputs + 1} years, and years has "
            f"{len(choice.years)}"
        )
    ends = possible if asked is None else tuple(asked)
    if not ends or (odd := [year for year in ends if year not in possible]):
        listed = ", ".join(map(str, possible))
        raise ConfigError(f"end_years {odd if ends else ends}: inputs can end in {listed}")
    return ends
