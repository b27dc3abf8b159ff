"""Write boiling simulations to a folder."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file, atomic_folder
from openstl_ext.datasets.formats.frame_file import sample_folders
from openstl_ext.datasets.formats.packed import INDEX, Pack, write_pack
from openstl_ext.datasets.synthetic.boiling_simulation import (
    BOILING_POINT,
    initial_states,
    sample_name,
    simulate,
)
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.json_file import read_json

RECORD = "boiling.json"
BLOCK = 4096
"""Smallest space of a file on disk, in bytes."""


@dataclass(frozen=True, kw_only=True)
class BoilingRecipe:
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


def generate(
    root: Path, recipe: BoilingRecipe, *, files: bool = True, packed: bool = True
) -> list[str]:
    """Write the missing parts of a set, and keep the existing ones.

    Samples and pack are written atomically, so running it again completes a killed run.

    Args:
        root: Folder of the set; created if necessary.
        recipe: Settings of the simulations.
        files: Write ``<sha256>_boiling_<i>/<t>.npy``, as simvp_minimal does.
        packed: Write the packed form.

    Returns:
        Messages for the user.

    Raises:
        DataError: If the folder has another set, or the disk has too little space.
    """
    root.mkdir(parents=True, exist_ok=True)
    _claim(root, recipe)
    existing = {p.name for p in sample_folders(root) if _is_complete(p, recipe.num_frames)}
    names = _names(recipe) if existing or Pack.exists(root) else []
    kept = len(existing.intersection(names))
    to_write = recipe.num_samples - kept if files else 0
    to_pack = packed and (to_write > 0 or not _pack_is_good(root, names, recipe.shape))
    lines = []
    if files and kept:
        lines.append(f"kept {kept} existing samples")
    if packed and not to_pack:
        lines.append(f"kept the existing {INDEX} (checksum verified)")
    if not to_write and not to_pack:
        return lines
    _check_room(root, recipe, num_files=to_write * recipe.num_frames, packed=to_pack)
    blocks = _blocks(root, recipe, write_files=files, keep=existing)
    if to_pack:
        frames = [str(t) for t in range(recipe.num_frames)]
        write_pack(root, blocks, shape=recipe.shape, frames=frames)
        lines.append(f"packed {recipe.num_samples} samples into one array of {recipe.shape}")
    else:
        for _ in blocks:
            pass
    if to_write:
        lines.append(f"wrote {to_write} samples of {recipe.num_frames} files each")
    return lines


def _blocks(
    root: Path, recipe: BoilingRecipe, *, write_files: bool, keep: set[str]
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Simulate some samples at a time, write the missing folders, and yield names and values."""
    start = 0
    for initial in initial_states(recipe.num_samples, recipe.image_size, seed=recipe.seed):
        names = [sample_name(one, start + i) for i, one in enumerate(initial)]
        values = simulate(
            initial, recipe.num_frames, increment=recipe.increment, scale=BOILING_POINT
        )
        for name, frames in zip(names, values, strict=True) if write_files else ():
            if name not in keep:
                with atomic_folder(root / name) as folder:
                    for t, frame in enumerate(frames):
                        np.save(folder / f"{t}.npy", frame)
        start += len(initial)
        yield names, values


def _names(recipe: BoilingRecipe) -> list[str]:
    blocks = initial_states(recipe.num_samples, recipe.image_size, seed=recipe.seed)
    maps = (initial for block in blocks for initial in block)
    return [sample_name(initial, i) for i, initial in enumerate(maps)]


def _claim(root: Path, recipe: BoilingRecipe) -> None:
    """Write the recipe to the folder, or compare it with the one that is there."""
    path, requested = root / RECORD, asdict(recipe)
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
    return {p.name for p in folder.iterdir()} == {f"{t}.npy" for t in range(num_frames)}


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


def _check_room(root: Path, recipe: BoilingRecipe, *, num_files: int, packed: bool) -> None:
    frame = 4 * recipe.image_size**2
    needed = num_files * -(-(frame + 128) // BLOCK) * BLOCK  # 128 bytes of header
    needed += packed * frame * recipe.num_samples * recipe.num_frames
    free = shutil.disk_usage(root).free
    if needed > free:
        raise DataError(
            f"{root}: {needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are available; free "
            "space, or write fewer samples or one form only (--no-packed, --packed-only)"
        )
