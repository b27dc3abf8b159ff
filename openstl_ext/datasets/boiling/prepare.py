"""Write boiling simulations to a folder."""

import argparse
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file, atomic_folder, save_array
from openstl_ext.datasets.formats.checksums import write_checksums
from openstl_ext.datasets.formats.frame_file import sample_folders
from openstl_ext.datasets.formats.packed import INDEX, Pack, write_pack
from openstl_ext.datasets.synthetic.boiling_simulation import (
    BOILING_POINT,
    initial_states,
    sample_name,
    simulate,
)
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.folder_lock import sole_writer
from openstl_ext.json_file import read_json
from openstl_ext.leftovers import entries
from openstl_ext.progress_line import progress

RECORD = "boiling.json"
BLOCK = 4096
"""Smallest space of a file on disk, in bytes."""


@dataclass(frozen=True, kw_only=True)
class BoilingSettings:
    """Settings that determine a set of simulations.

    Args:
        num_samples: Number of simulations.
        num_frames: Frames of each, the initial map included.
        increment: Degrees Fahrenheit added to every cell at each step.
        image_size: Side of a map, in cells.
        seed: Seed of the initial maps.

    Raises:
        ConfigError: If a count or the seed is out of range.
    """

    num_samples: int
    num_frames: int
    increment: float = 10
    image_size: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        least = {"num_samples": 1, "num_frames": 1, "image_size": 1, "seed": 0}
        for name, limit in least.items():
            if getattr(self, name) < limit:
                raise ConfigError(f"{name} must be at least {limit}, got {getattr(self, name)}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, T, C, H, W) of the set."""
        return self.num_samples, self.num_frames, 1, self.image_size, self.image_size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``openstl-ext data`` for this dataset."""
    add = parser.add_argument
    add("--num_samples", type=int, default=100, help="number of simulations (%(default)s)")
    add("--num_frames", type=int, default=20, help="frames of each (%(default)s)")
    add("--data_path", type=Path, default=Path("data/boiling"), help="folder (%(default)s)")
    add("--increment", type=float, default=10, help="degrees F per step (%(default)s)")
    add("--image_size", type=int, default=64, help="side of a map (%(default)s)")
    add("--seed", type=int, default=0, help="same seed, same bytes (%(default)s)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--no-packed", action="store_true", help="write one file per frame only")
    form.add_argument("--packed-only", action="store_true", help="write one packed array only")


def run(args: argparse.Namespace) -> None:
    """Simulate what is missing."""
    settings = BoilingSettings(
        **{field.name: getattr(args, field.name) for field in fields(BoilingSettings)}
    )
    root = args.data_path
    with sole_writer(root, "simulation of boiling data"):
        lines = generate(root, settings, files=not args.packed_only, packed=not args.no_packed)
        lines += write_checksums(root)
    print("\n".join([*lines, f"boiling data are in {root}"]))


def generate(
    root: Path, settings: BoilingSettings, *, files: bool = True, packed: bool = True
) -> list[str]:
    """Write the missing parts of a set, and keep the existing ones.

    Samples and pack are written atomically, so running it again completes a killed run.

    Args:
        root: Folder of the set; created if necessary.
        settings: Settings of the simulations.
        files: Write ``<sha256>_boiling_<i>/<t>.npy``, as simvp_minimal does.
        packed: Write the packed form.

    Returns:
        Messages for the user.

    Raises:
        DataError: If the folder has another set, or the disk has too little space.
    """
    root.mkdir(parents=True, exist_ok=True)
    _claim(root, settings)
    existing = {p.name for p in sample_folders(root) if _is_complete(p, settings.num_frames)}
    names = _names(settings) if existing or Pack.exists(root) else []
    kept = len(existing.intersection(names))
    to_write = settings.num_samples - kept if files else 0
    to_pack = packed and (to_write > 0 or not _pack_is_good(root, names, settings.shape))
    lines = []
    if files and kept:
        lines.append(f"kept {kept} existing samples")
    if packed and not to_pack:
        lines.append(f"kept the existing {INDEX} (checksum verified)")
    if not to_write and not to_pack:
        return lines
    _check_room(root, settings, num_files=to_write * settings.num_frames, packed=to_pack)
    blocks = _blocks(root, settings, write_files=files, keep=existing)
    if to_pack:
        frames = [str(t) for t in range(settings.num_frames)]
        write_pack(root, blocks, shape=settings.shape, frames=frames)
        lines.append(f"packed {settings.num_samples} samples into one array of {settings.shape}")
    else:
        for _ in blocks:
            pass
    if to_write:
        lines.append(f"wrote {to_write} samples of {settings.num_frames} files each")
    return lines


def _blocks(
    root: Path, settings: BoilingSettings, *, write_files: bool, keep: set[str]
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Simulate some samples at a time, write the missing folders, and yield names and values."""
    start = 0
    states = initial_states(settings.num_samples, settings.image_size, seed=settings.seed)
    with progress("simulating", settings.num_samples, "samples") as task:
        for initial in states:
            names = [sample_name(one, start + i) for i, one in enumerate(initial)]
            values = simulate(
                initial, settings.num_frames, increment=settings.increment, scale=BOILING_POINT
            )
            for name, frames in zip(names, values, strict=True):
                if write_files and name not in keep:
                    with atomic_folder(root / name) as folder:
                        for t, frame in enumerate(frames):
                            save_array(folder / f"{t}.npy", frame)
                task.advance()
            start += len(initial)
            yield names, values


def _names(settings: BoilingSettings) -> list[str]:
    blocks = initial_states(settings.num_samples, settings.image_size, seed=settings.seed)
    maps = (initial for block in blocks for initial in block)
    return [sample_name(initial, i) for i, initial in enumerate(maps)]


def _claim(root: Path, settings: BoilingSettings) -> None:
    """Write the settings to the folder, or compare it with the one that is there."""
    path, requested = root / RECORD, asdict(settings)
    advice = "choose another --data_path, or empty this one"
    if path.is_file():
        found = read_json(path, dict[str, int | float], advice=advice)
        differ = [k for k in requested if found.get(k) != requested[k]]
        if differ:
            pairs = ", ".join(f"{k} is {found.get(k)}, not {requested[k]}" for k in differ)
            raise DataError(f"{root} has another set ({pairs}); {advice}")
        return
    if others := [p.name for p in sample_folders(root)]:
        raise DataError(f"{root} has samples of another origin, such as {others[0]}; {advice}")
    with atomic_file(path) as file:
        file.write(json.dumps(requested, indent=1).encode())


def _is_complete(folder: Path, num_frames: int) -> bool:
    return {p.name for p in entries(folder)} == {f"{t}.npy" for t in range(num_frames)}


def _pack_is_good(root: Path, names: list[str], shape: tuple[int, ...]) -> bool:
    if not Pack.exists(root):
        return False
    try:
        pack = Pack(root)
    except DataError:
        return False
    if pack.shape != shape or list(pack.rows) != names:
        return False
    return pack.is_intact()


def _check_room(root: Path, settings: BoilingSettings, *, num_files: int, packed: bool) -> None:
    frame = 4 * settings.image_size**2
    needed = num_files * -(-(frame + 128) // BLOCK) * BLOCK  # 128 bytes of header
    needed += packed * frame * settings.num_samples * settings.num_frames
    free = shutil.disk_usage(root).free
    if needed > free:
        raise DataError(
            f"{root}: {needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are available; free "
            "space, or write fewer samples or one form only (--no-packed, --packed-only)"
        )
