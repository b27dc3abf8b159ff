"""Full disks: each writer leaves every file as it was or as it should be, and says so."""

import contextlib
import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from openstl_ext import cli
from openstl_ext.atomic_io import PART
from openstl_ext.calibration import Calibration
from openstl_ext.datasets.boiling.prepare import BoilingSettings, generate
from openstl_ext.datasets.formats.folder_split import SplitSettings, create_loaders
from openstl_ext.datasets.formats.frame_cache import FrameCache
from openstl_ext.datasets.formats.packed import pack_folders
from openstl_ext.datasets.lts.split import CutSettings, cut
from openstl_ext.datasets.synthetic import kth, landscape, moving_mnist, taxibj
from openstl_ext.engine.checkpoint import Entry, save
from openstl_ext.errors import sentence_of
from openstl_ext.profiling.training_step import add_row
from openstl_ext.rasters.window import Window
from openstl_ext.rasters.writer import RasterWriter
from openstl_ext.results.record import Record
from openstl_ext.statistics import ChannelStatistics, Statistics
from tests.faults.disk import snapshot, with_limit
from tests.faults.mutated_commands import BEST, TOY, prepare
from tests.faults.row import Row
from tests.rasters.files import grid_of

Write = Callable[[Path, int], object]
"""Writes a version of an output, 0 or 1, into a folder."""
SHARES = (0.0, 0.01, 0.5, 0.9)
"""Free space, as a share of the largest file of an output."""


def command(line: str, folder: Path, version: int) -> None:
    """Run a command that writes into a folder; the second version differs by an option."""
    words = [word.replace("OUT", str(folder)) for word in line.split()]
    parts = [word.split("%") for word in words]  # first%second
    cli.call([part[min(version, len(part) - 1)] for part in parts])


COMMANDS = {
    "leaderboard md": "leaderboard run --out OUT/board.md --metrics mse_sum%mae",
    "leaderboard csv": "leaderboard run --out OUT/board.csv --metrics mse_sum%mae",
    "leaderboard json": "leaderboard run --out OUT/board.json --metrics mse_sum%mae",
    "leaderboard folder": "leaderboard run --out OUT/boards --metrics mse_sum%mae",
    "plot-horizons": "plot-horizons run --metric mse_sum%mae --out OUT/plot.png",
    "plot-spectrum": "plot-spectrum rgb%sentinel2_l2a --out OUT/spectrum.png",
    "visualize": "visualize run/saved SAMPLE --colormap viridis%inferno --out OUT/grid.png",
    "predict npy": f"predict {TOY} {BEST} --input frames.npy --horizon 2%3 --out OUT/f.npy",
    "predict folder": f"predict {TOY} {BEST} --input frames.npy --horizon 2%3 --out OUT/f",
}


def checkpoint(folder: Path, version: int) -> None:
    entry = Entry(file="iter_1.pth", kind="resume", epoch=1, iteration=1)
    save({"state_dict": {"w": torch.full((3000,), float(version))}}, folder, entry, keep=2)


def statistics(folder: Path, version: int) -> None:
    found = ChannelStatistics(names=("a",), mean=(float(version),), std=(1.0,), count=(9,))
    Statistics(groups={"frames": found}).write(folder / "statistics.json")


def calibration(folder: Path, version: int) -> None:
    Calibration(coverage=0.9, levels=(0.05, 0.95), margin=(float(version),), num_valid=(9,)).write(
        folder / "calibration.json"
    )


def raster(folder: Path, version: int) -> None:
    values = np.random.default_rng(version).random((64, 64), np.float32)
    with RasterWriter(folder / "map.tif", grid_of(64, 64), block=16) as writer:
        writer.write(values, Window(0, 0, 64, 64))


def record(folder: Path, version: int) -> None:
    found = Record.read(Path("run/result.json"))
    values = {name: getattr(found, name) for name in found.__struct_fields__}
    Record(**{**values, "seed": version}).write(folder / "result.json")


def cache(folder: Path, version: int) -> None:
    (folder / "v.avi").write_bytes(b"video") if not (folder / "v.avi").exists() else None
    frames = np.full((9, 8, 8), version, np.uint8)
    FrameCache(folder / f"cache{version}").fill([("v", [folder / "v.avi"], lambda: frames)])


def packed(folder: Path, version: int) -> None:
    for name in ("a", "b"):
        if not (folder / name).exists():
            (folder / name).mkdir()
            for t in range(3):
                np.save(folder / name / f"{t}.npy", np.full((8, 8), t, np.float32))
    del version
    pack_folders(folder)


def loaders(folder: Path, version: int) -> None:
    if not (folder / "a").exists():
        shutil.copytree("packed", folder, dirs_exist_ok=True)
    create_loaders(folder, SplitSettings(train_ratio=0.5, val_ratio=0.5, seed=version))


def boiling(folder: Path, version: int) -> None:
    settings = BoilingSettings(num_samples=2, num_frames=3 + version, image_size=8)
    generate(folder / str(version), settings)


def template(folder: Path, version: int) -> None:
    with contextlib.chdir(folder):
        cli.call(["new", "model", f"Net{'AB'[version]}"])


def lts_cut(folder: Path, version: int, form: str = "coords") -> None:
    settings = CutSettings(patch_size=16, block_size=32, buffer=0, seed=version)
    cut(Path("lts"), folder, settings, form=form)


def step_table(folder: Path, version: int) -> None:
    row = {"seconds": 1.0, "bytes": 1e9, "samples": 1, "batch_size": version, "device": "cpu"}
    add_row(folder / "steps.md", "boiling/simvp", row)


WRITERS: dict[str, Write] = {
    **{name: partial(command, line) for name, line in COMMANDS.items()},
    "checkpoint": checkpoint,
    "statistics": statistics,
    "calibration": calibration,
    "raster": raster,
    "record": record,
    "convert": lambda folder, version: command(
        "convert theirs.pth OUT/ours.pth --config simvp.py", folder, version
    ),
    "frame cache": cache,
    "packed": packed,
    "loaders": loaders,
    "boiling": boiling,
    "new": template,
    "table of steps": step_table,
    "lts patches": partial(lts_cut, form="patches"),
    "synthetic lts": lambda folder, version: landscape.write_stack(
        folder, landscape.draw(size=64, seed=version, years=landscape.YEARS[-2:])
    ),
    "synthetic kth avi": lambda folder, version: kth.write(
        folder, num_frames=4, persons=(1,), form="avi", seed=version
    ),
    "synthetic kth jpeg": lambda folder, version: kth.write(
        folder, num_frames=3, persons=(1,), form="jpeg", seed=version
    ),
    "synthetic mnist": lambda folder, version: moving_mnist.write(
        folder, num_digits=10, num_sequences=2, seed=version
    ),
    "synthetic taxibj": lambda folder, version: taxibj.write(
        folder, num_train=30, num_test=20, seed=version
    ),
}


@dataclass(frozen=True)
class Outcome:
    """Outcome of a full disk.

    Args:
        writer: Name of the writer.
        share: Free space, as a share of the largest file.
        refused: Whether the writer ended with a sentence; else it has written everything.
        problem: What is wrong; empty if nothing is.
    """

    writer: str
    share: float
    refused: bool
    problem: str


def fill_up(name: str, write: Write, folder: Path, share: float) -> Outcome:
    """Write an output twice, the second time on a full disk, and compare all files."""
    old, new = folder / "old", folder / "new"
    for place in (old, new):
        place.mkdir(parents=True)
        write(place, 0)
    before = snapshot(old)
    write(new, 1)
    after = snapshot(new)
    largest = max(path.stat().st_size for path in new.rglob("*") if path.is_file())
    refused, problem = False, ""
    try:
        with with_limit(int(largest * share)):
            write(old, 1)
    except Exception as error:
        refused, sentence = True, sentence_of(error)
        if sentence is None or "\n" in sentence:
            problem = f"{type(error).__name__}: {error}"
    found = snapshot(old)
    for path in {*before, *found}:
        if path not in found and path in after:
            problem = problem or f"{path} is lost"
        elif path in found and found[path] not in (before.get(path), after.get(path)):
            problem = problem or f"{path} is neither the earlier nor the complete file"
    if any(PART in path.name for path in old.rglob("*")):
        problem = problem or "a temporary file is left"
    if not refused and found != after:
        problem = problem or "no error, but files are missing"
    return Outcome(name, share, refused, problem)


def outcomes(names: list[str] | None = None) -> Iterator[Outcome]:
    """Fill the disk for all writers, four times each."""
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.chdir(name),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        prepare(Path(name))
        sample = min(path.name for path in Path("run/saved/preds").iterdir())
        (Path("run/saved/preds") / sample).rename("run/saved/preds/SAMPLE")
        for kind in ("inputs", "trues"):
            (Path("run/saved") / kind / sample).rename(f"run/saved/{kind}/SAMPLE")
        for writer in names or WRITERS:
            for count, share in enumerate(SHARES):
                folder = Path(name, "disks", writer.replace(" ", "_"), str(count))
                yield fill_up(writer, WRITERS[writer], folder, share)


def rows() -> Iterator[Row]:
    """Yield the row of full disks."""
    found = list(outcomes())
    bad = [outcome for outcome in found if outcome.problem]
    good = [outcome for outcome in found if not outcome.problem]
    note = f"{len(WRITERS)} writers"
    if bad:
        note = f"{bad[0].writer} at {bad[0].share}: {bad[0].problem}"
    detected = sum(outcome.refused for outcome in good)
    yield Row("full disks", len(found), detected, len(good), len(bad), note)


if __name__ == "__main__":
    for each in outcomes(sys.argv[1:] or None):
        print(each, file=sys.stderr, flush=True)
