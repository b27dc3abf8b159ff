"""Cut a satellite series into the patches of each split."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.atomic_io import atomic_folder
from openstl_ext.datasets.lts.files import STATISTICS, forms_in, open_series
from openstl_ext.datasets.lts.metadata import FILE as FACTS
from openstl_ext.datasets.lts.patches import (
    BLOCKS,
    IMAGES,
    LABELS,
    SPLITS,
    coords_file,
    write_corners,
)
from openstl_ext.datasets.lts.series import Series, name_of
from openstl_ext.datasets.lts.statistics import measure, span, training_blocks
from openstl_ext.datasets.synthetic import marker as synthetic
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.window import Window
from openstl_ext.statistics import Statistics


def balanced(
    windows: Sequence[Window],
    looks: Sequence[tuple[bool, bool]],
    negative_ratio: float | None,
    *,
    seed: Sequence[int],
) -> tuple[list[Window], str]:
    """The patches that are kept, in their order, and a sentence about them.

    Args:
        windows: Candidates.
        looks: For each, whether anything is known of it, and whether it has a site.
        negative_ratio: Background patches kept for each patch with a site; None for all of them.
        seed: Which background patches are kept.
    """
    positive = [i for i, (_, has_site) in enumerate(looks) if has_site]
    negative = [i for i, (known, has_site) in enumerate(looks) if known and not has_site]
    unknown = len(looks) - len(positive) - len(negative)
    kept = np.array(negative, np.int64)
    if negative_ratio is not None:
        number = min(round(negative_ratio * len(positive)), len(negative))
        kept = np.random.default_rng(seed).permutation(kept)[:number]
    order = sorted([*positive, *kept.tolist()])
    line = (
        f"{len(order)} patches, {len(positive)} with a site, {len(kept)} of {len(negative)} without"
    )
    if unknown:
        line += f"; {unknown} without any known label left out"
    return [windows[i] for i in order], line


FORMS = ("coords", "patches")
SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}


@dataclass(frozen=True, kw_only=True)
class CutRecipe:
    """All that decides which patches there are.

    Args:
        patch_size: Side of a patch, in pixels.
        stride: Pixels between training patches; patches of val and test lie side by side, so that
            none of their pixels is judged twice. A patch size if not given.
        block_size: Side of the blocks that are dealt out to the splits, in pixels; eight patches
            if not given.
        buffer: Least number of pixels between patches of one split and blocks of another.
        shares: Part of the blocks that each split gets.
        seed: Of the blocks and of the balance.
        negative_ratio: Background patches kept for each patch with a site; all if not given.
        balance_all_splits: Balance val and test too, which changes what is judged.
        ignore_index: What the label says where the truth is not known.
        num_years: So many of the newest years; all if not given.
    """

    patch_size: int = 128
    stride: int | None = None
    block_size: int | None = None
    buffer: int = 16
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    seed: int = 0
    negative_ratio: float | None = None
    balance_all_splits: bool = False
    ignore_index: int = 255
    num_years: int | None = None

    def __post_init__(self) -> None:
        sizes = {"patch_size": self.patch_size, "stride": self.stride, "block": self.block_size}
        if bad := [f"{k} {v}" for k, v in sizes.items() if v is not None and v < 1]:
            raise ConfigError(f"{bad[0]}: sizes are at least one pixel")
        if self.buffer < 0 or (self.negative_ratio is not None and self.negative_ratio < 0):
            raise ConfigError("neither the buffer nor the negative ratio may be below zero")
        if self.balance_all_splits and self.negative_ratio is None:
            raise ConfigError("balancing all splits needs a negative ratio")


def cut(
    source: Path, root: Path, recipe: CutRecipe, *, form: str = "coords", workers: int = 1
) -> list[str]:
    """Deal blocks out, choose the patches of each split and measure the training blocks.

    The result does not depend on the number of workers.

    Args:
        source: Folder of the series with its label.
        root: Where the result goes; for corners the folder of the series.
        recipe: What to cut.
        form: ``coords`` writes corners beside the series; ``patches`` writes a file a patch.
        workers: Processes that look at labels and write patches.

    Returns:
        What was done, a line each.

    Raises:
        ConfigError: If corners are asked for in another folder.
        DataError: If the series is odd, or a split gets no patch.
    """
    if form == "coords" and root.resolve() != source.resolve():
        raise ConfigError(
            f"corners lie beside the series, in {source}; leave --root out, or take --form patches"
        )
    if form == "patches" and (other := [name for name in forms_in(root) if name != "patches"]):
        raise DataError(f"{root} holds a series as {other[0]}; choose another --root for patches")
    series = open_series(source)
    years = series.facts.newest(recipe.num_years)
    blocks = BlockSplit.draw(
        height=series.grid.height,
        width=series.grid.width,
        block_size=recipe.block_size or 8 * recipe.patch_size,
        shares=recipe.shares,
        seed=recipe.seed,
    )
    lines, chosen = [], {}
    with _pool(series, workers) as each:
        for number, split in enumerate(recipe.shares):
            windows = _candidates(blocks, split, recipe)
            looks = each(_look, windows, recipe.ignore_index)
            balance = split == "train" or recipe.balance_all_splits
            ratio = recipe.negative_ratio if balance else None
            chosen[split], line = balanced(windows, looks, ratio, seed=(recipe.seed, number))
            lines.append(f"{split}: {line}")
            if not chosen[split]:
                raise DataError(f"{source}: no patch of {split} is left ({line})")
        if synthetic.is_marked(source) and source != root:
            root.mkdir(parents=True, exist_ok=True)
            synthetic.mark(root, "LTS")
        if form == "patches":
            _write_patches(root, chosen, each, recipe, years)
    _write_facts(series, blocks, root, chosen, recipe, years, form=form)
    if form == "coords" and recipe.num_years:
        lines.append(f"the series stays whole: say num_years={recipe.num_years} in the config")
    return lines


def _candidates(blocks: BlockSplit, split: str, recipe: CutRecipe) -> list[Window]:
    """All patches that fit into the blocks of a split."""
    stride = recipe.stride if split == "train" and recipe.stride else recipe.patch_size
    return blocks.windows(split, size=recipe.patch_size, stride=stride, buffer=recipe.buffer)


def _write_facts(
    series: Series,
    blocks: BlockSplit,
    root: Path,
    chosen: dict[str, list[Window]],
    recipe: CutRecipe,
    years: slice,
    *,
    form: str,
) -> None:
    """Everything but the patches; ``stack.json`` comes last."""
    bands, kept = series.facts.bands, series.facts.years[years]
    found = measure(training_blocks(series, blocks, range(len(bands)), years), bands)
    about = {"taken from": f"the training blocks, {span(kept)}", "cut": asdict(recipe)}
    Statistics(groups={"frames": found}, about=about).write(root / STATISTICS)
    blocks.write(root / BLOCKS)
    for split, windows in chosen.items():
        if form == "coords":
            write_corners(coords_file(root, split), windows)
    facts = replace(series.facts, patch_size=recipe.patch_size, buffer=recipe.buffer)
    if form == "patches":  # they hold values, not what was stored
        facts = replace(facts, years=kept, nodata=None, scale=1.0, offset=0.0, transform=None)
    facts.write(root / FACTS)


def _write_patches(
    root: Path, chosen: dict[str, list[Window]], each: Any, recipe: CutRecipe, years: slice
) -> None:
    windows = sorted({window for split in chosen.values() for window in split})
    with atomic_folder(root / IMAGES) as images, atomic_folder(root / LABELS) as labels:
        write = partial(_write_patch, years=years, images=images, labels=labels)
        each(write, windows, recipe.ignore_index)
    with atomic_folder(root / SPLITS) as splits:
        for split, its_windows in chosen.items():
            names = "".join(f"{name_of(window)}\n" for window in its_windows)
            (splits / f"{split}.txt").write_text(names)


_SERIES: list[Series] = []
"""The series of a worker process."""


@contextmanager
def _pool(series: Series, workers: int) -> Iterator[Any]:
    """A way to call a function of (series, window, number) for all windows, results in order."""
    if workers <= 1:
        yield lambda do, windows, number: [do(series, window, number) for window in windows]
        return
    # spawned, as a fork of a process with threads may hang
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_open_in_worker, initargs=(series,)
    ) as pool:
        yield lambda do, windows, number: list(
            pool.map(partial(_in_worker, do), windows, repeat(number), chunksize=32)
        )


def _open_in_worker(series: Series) -> None:
    _SERIES.append(series)


def _in_worker(do: Any, window: Window, number: int) -> Any:
    return do(_SERIES[0], window, number)


def _look(series: Series, window: Window, ignore_index: int) -> tuple[bool, bool]:
    """Whether anything is known of a patch, and whether it has anything but background."""
    labels = series.labels(window, ignore_index)
    known = labels != ignore_index
    return bool(known.any()), bool((known & (labels > 0)).any())


def _write_patch(
    series: Series, window: Window, ignore_index: int, *, years: slice, images: Path, labels: Path
) -> None:
    facts = series.facts
    values = series.frames(window, years, range(len(facts.bands)))
    classes = series.labels(window, ignore_index)
    kind = np.uint8 if 0 <= ignore_index < 256 and len(facts.classes) < 256 else np.int64
    for folder, array in ((images, values), (labels, classes.astype(kind))):
        np.save(folder / f"{name_of(window)}.npy", array)  # the folder appears whole
