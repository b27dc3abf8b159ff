"""Cut a satellite series into the patches of each split."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from openstl_ext.atomic_io import atomic_folder, save_array
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
from openstl_ext.datasets.lts.statistics import measure, span, training_blocks, with_data
from openstl_ext.datasets.synthetic import marker as synthetic
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.progress_line import tracked
from openstl_ext.rasters.block_split import BlockSplit
from openstl_ext.rasters.window import Window
from openstl_ext.statistics import Statistics


def balanced(
    windows: Sequence[Window],
    contents: Sequence[tuple[bool, bool]],
    negative_ratio: float | None,
    *,
    seed: Sequence[int],
) -> tuple[list[Window], str]:
    """Select patches with sites and some background patches; also return a line of report.

    Args:
        windows: Candidates; the selected ones keep their order.
        contents: For each, whether it has any known label, and whether it has a site.
        negative_ratio: Background patches to keep per patch with a site; None keeps all.
        seed: Seed of the selection.
    """
    positive = [i for i, (_, has_site) in enumerate(contents) if has_site]
    negative = [i for i, (known, has_site) in enumerate(contents) if known and not has_site]
    unknown = len(contents) - len(positive) - len(negative)
    kept = np.array(negative, np.int64)
    if negative_ratio is not None:
        number = min(round(negative_ratio * len(positive)), len(negative))
        kept = np.random.default_rng(seed).permutation(kept)[:number]
    order = sorted([*positive, *kept.tolist()])
    line = (
        f"{len(order)} patches, {len(positive)} with a site, {len(kept)} of {len(negative)} without"
    )
    if unknown:
        line += f"; {unknown} without any known label omitted"
    return [windows[i] for i in order], line


FORMS = ("coords", "patches")
SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}


@dataclass(frozen=True, kw_only=True)
class CutSettings:
    """Parameters that determine the patches of each split.

    Args:
        patch_size: Side of a patch, in pixels.
        stride: Pixels between training patches; a patch size if not given. Patches of val and test
            do not overlap, so that each of their pixels is evaluated once.
        block_size: Side of the blocks that are assigned to the splits, in pixels; eight patches if
            not given.
        buffer: Smallest number of pixels between patches of a split and blocks of another.
        shares: Share of the blocks of each split.
        seed: Seed of the blocks and of the selection of patches.
        negative_ratio: Background patches to keep per patch with a site; all if not given.
        balance_all_splits: Apply the ratio to val and test too, which changes the test set.
        ignore_index: Label of unknown pixels.
        num_years: Number of the newest years to use; all if not given.
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
        ratio = self.negative_ratio
        if (ratio is None and self.balance_all_splits) or (ratio is not None and ratio < 0):
            raise ConfigError(
                f"negative_ratio is {ratio}; it must not be negative, and balance_all_splits "
                "needs it"
            )


def cut(
    source: Path, root: Path, settings: CutSettings, *, form: str = "coords", workers: int = 1
) -> list[str]:
    """Assign blocks to splits, select the patches of each, and compute training statistics.

    The result does not depend on the number of workers.

    Args:
        source: Folder of the series with its label.
        root: Folder of the result; for corners that of the series.
        settings: Parameters.
        form: ``coords`` writes corners beside the series; ``patches`` writes a file per patch.
        workers: Number of processes that read labels and write patches.

    Returns:
        A line for each result.

    Raises:
        ConfigError: If corners would be written to another folder.
        DataError: If the series is not readable, or a split gets no patch.
    """
    if form == "coords" and root.resolve() != source.resolve():
        raise ConfigError(
            f"corners must be in the folder of the series, {source}; omit --root, or use "
            "--form patches"
        )
    if form == "patches" and (other := [name for name in forms_in(root) if name != "patches"]):
        raise DataError(f"{root} contains a series as {other[0]}; choose another --root")
    series = open_series(source)
    years = series.facts.newest(settings.num_years)
    blocks = BlockSplit.draw(
        height=series.grid.height,
        width=series.grid.width,
        block_size=8 * settings.patch_size if settings.block_size is None else settings.block_size,
        shares=settings.shares,
        seed=settings.seed,
    )
    lines, chosen = [], {}
    with _pool(series, workers) as each:
        for number, split in enumerate(settings.shares):
            windows = _candidates(blocks, split, settings)
            text = f"reading labels, {split}"
            contents = each(_contents_of, windows, settings.ignore_index, text)
            balance = split == "train" or settings.balance_all_splits
            ratio = settings.negative_ratio if balance else None
            chosen[split], line = balanced(windows, contents, ratio, seed=(settings.seed, number))
            lines.append(f"{split}: {line}")
            if not chosen[split]:
                raise DataError(
                    f"{source}: split {split} has no patch ({line}); use a smaller block_size, or "
                    "correct the label"
                )
        if synthetic.is_marked(source) and source != root:
            root.mkdir(parents=True, exist_ok=True)
            synthetic.mark(root, "LTS")
        if form == "patches":
            _write_patches(root, chosen, each, settings, years)
    _write_facts(series, blocks, root, chosen, settings, years, form=form)
    if form == "coords" and settings.num_years:
        lines.append(
            f"the series keeps all years: set num_years={settings.num_years} in the config"
        )
    return lines


def _candidates(blocks: BlockSplit, split: str, settings: CutSettings) -> list[Window]:
    """Return all patches that fit into the blocks of a split."""
    stride = settings.patch_size
    if split == "train" and settings.stride is not None:
        stride = settings.stride
    return blocks.windows(split, size=settings.patch_size, stride=stride, buffer=settings.buffer)


def _write_facts(
    series: Series,
    blocks: BlockSplit,
    root: Path,
    chosen: dict[str, list[Window]],
    settings: CutSettings,
    years: slice,
    *,
    form: str,
) -> None:
    """Write all files except the patches; ``stack.json`` is last."""
    bands, kept = series.facts.bands, series.facts.years[years]
    pieces = training_blocks(series, blocks, range(len(bands)), years)
    found = measure(with_data(pieces, kept, root, zero=series.facts.offset), bands)
    about = {"taken from": f"the training blocks, {span(kept)}", "cut": asdict(settings)}
    Statistics(groups={"frames": found}, about=about).write(root / STATISTICS)
    blocks.write(root / BLOCKS)
    for split, windows in chosen.items():
        if form == "coords":
            write_corners(coords_file(root, split), windows)
    facts = replace(series.facts, patch_size=settings.patch_size, buffer=settings.buffer)
    if form == "patches":  # patches contain scaled values
        facts = replace(facts, years=kept, nodata=None, scale=1.0, offset=0.0, transform=None)
    facts.write(root / FACTS)


def _write_patches(
    root: Path, chosen: dict[str, list[Window]], each: Any, settings: CutSettings, years: slice
) -> None:
    windows = sorted({window for split in chosen.values() for window in split})
    with atomic_folder(root / IMAGES) as images, atomic_folder(root / LABELS) as labels:
        write = partial(_write_patch, years=years, images=images, labels=labels)
        each(write, windows, settings.ignore_index, "writing")
    with atomic_folder(root / SPLITS) as splits:
        for split, its_windows in chosen.items():
            names = "".join(f"{name_of(window)}\n" for window in its_windows)
            (splits / f"{split}.txt").write_text(names)


_SERIES: list[Series] = []
"""The series of a worker process."""


@contextmanager
def _pool(series: Series, workers: int) -> Iterator[Any]:
    """Yield a function that maps ``do(series, window, number)`` over windows, in order.

    Its arguments are ``do``, the windows, the number, and the text of the line of progress.
    """

    def alone(do: Any, windows: list[Window], number: int, text: str) -> list[Any]:
        return [do(series, window, number) for window in tracked(windows, text, "patches")]

    if workers <= 1:
        yield alone
        return
    # spawned, because forking a process with threads may hang
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_open_in_worker, initargs=(series,)
    ) as pool:

        def shared(do: Any, windows: list[Window], number: int, text: str) -> list[Any]:
            found = pool.map(partial(_in_worker, do), windows, repeat(number), chunksize=32)
            return list(tracked(found, text, "patches", total=len(windows)))

        yield shared


def _open_in_worker(series: Series) -> None:
    _SERIES.append(series)


def _in_worker(do: Any, window: Window, number: int) -> Any:
    return do(_SERIES[0], window, number)


def _contents_of(series: Series, window: Window, ignore_index: int) -> tuple[bool, bool]:
    """Return whether a patch has any known label, and any class except background."""
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
        save_array(folder / f"{name_of(window)}.npy", array)  # the folder is atomic
