"""Write boiling simulations to a folder."""

import argparse
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
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

RECORD = "boiling.json"
BLOCK = 4096
"""Bytes that a file system spends at least on a file."""


@dataclass(frozen=True, kw_only=True)
class BoilingRecipe:
    """All that decides the bytes of a set.

    Args:
        num_samples: Number of simulations.
        num_frames: Frames of each, the initial map included.
        increment: Degrees Fahrenheit added to every cell at each step.
        image_size: Side of a map, in cells.
        seed: Decides the initial maps.

    Raises:
        ConfigError: If a count is not positive, or the seed is not one of numpy's.
    """

    num_samples: int
    num_frames: int
    increment: float = 10
    image_size: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("num_samples", "num_frames", "image_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.seed < 2**32:
            raise ConfigError(f"seed must lie in [0, 2**32), got {self.seed}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, T, C, H, W) of the set."""
        return self.num_samples, self.num_frames, 1, self.image_size, self.image_size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``openstl-ext data`` for this dataset."""
    add = parser.add_argument
    add("--num_samples", type=int, required=True, help="number of simulations")
    add("--num_frames", type=int, required=True, help="frames of each")
    add("--data_path", type=Path, required=True, help="folder to write to")
    add("--increment", type=float, default=10, help="degrees F per step (%(default)s)")
    add("--image_size", type=int, default=64, help="side of a map (%(default)s)")
    add("--seed", type=int, default=0, help="same seed, same bytes (%(default)s)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--no-packed", action="store_true", help="write one file per frame only")
    form.add_argument("--packed-only", action="store_true", help="write one packed array only")


def run(args: argparse.Namespace) -> None:
    """Simulate what is missing."""
    recipe = BoilingRecipe(
        **{field.name: getattr(args, field.name) for field in fields(BoilingRecipe)}
    )
    root = args.data_path
    lines = generate(root, recipe, files=not args.packed_only, packed=not args.no_packed)
    print("\n".join([*lines, f"boiling data are in {root}"]))


def generate(
    root: Path, recipe: BoilingRecipe, *, files: bool = True, packed: bool = True
) -> list[str]:
    """Make what is missing of a set, and keep what is there.

    Every sample and the pack appear under their names only when they are whole, so a run that was
    killed is made good by running it again.

    Args:
        root: Folder of the set; made if need be.
        recipe: What to simulate.
        files: Write ``<sha256>_boiling_<i>/<t>.npy``, as simvp_minimal does.
        packed: Write the packed form.

    Returns:
        What was done, a line each.

    Raises:
        DataError: If the folder holds another set, or the disk has no room.
    """
    root.mkdir(parents=True, exist_ok=True)
    _claim(root, recipe)
    there = {p.name for p in sample_folders(root) if _is_whole(p, recipe.num_frames)}
    names = _names(recipe) if there or Pack.exists(root) else []
    kept = len(there.intersection(names))
    to_write = recipe.num_samples - kept if files else 0
    to_pack = packed and (to_write > 0 or not _pack_is_good(root, names, recipe.shape))
    lines = []
    if files and kept:
        lines.append(f"{kept} samples were there already and are kept")
    if packed and not to_pack:
        lines.append(f"{INDEX} was there already and is kept (checksum verified)")
    if not to_write and not to_pack:
        return lines
    _check_room(root, recipe, num_files=to_write * recipe.num_frames, packed=to_pack)
    blocks = _blocks(root, recipe, write_files=files, but=there)
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
    root: Path, recipe: BoilingRecipe, *, write_files: bool, but: set[str]
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    """Simulate some samples at a time, write the folders that are missing, hand on the values."""
    start = 0
    for initial in initial_states(recipe.num_samples, recipe.image_size, seed=recipe.seed):
        names = [sample_name(one, start + i) for i, one in enumerate(initial)]
        values = simulate(
            initial, recipe.num_frames, increment=recipe.increment, scale=BOILING_POINT
        )
        for name, frames in zip(names, values, strict=True) if write_files else ():
            if name not in but:
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
    """Say whose folder it is before the first sample, or refuse one that is another's."""
    path, wanted = root / RECORD, asdict(recipe)
    advice = "choose another --data_path, or empty this one"
    if path.is_file():
        try:
            found = dict(json.loads(path.read_text()))
        except (ValueError, TypeError) as error:
            raise DataError(f"{path}: not readable ({error}); {advice}") from error
        differ = [k for k in wanted if found.get(k) != wanted[k]]
        if differ:
            pairs = ", ".join(f"{k} {found.get(k)} there, {wanted[k]} asked" for k in differ)
            raise DataError(f"{root} holds another set ({pairs}); {advice}")
        return
    if others := [p.name for p in sample_folders(root)]:
        raise DataError(f"{root} holds {others[0]} and more that are not of this tool; {advice}")
    with atomic_file(path) as file:
        file.write(json.dumps(wanted, indent=1).encode())


def _is_whole(folder: Path, num_frames: int) -> bool:
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
            f"{root}: {needed / 1e6:.0f} MB are needed and {free / 1e6:.0f} MB are free; make "
            "room, or ask for fewer samples or for one form only (--no-packed, --packed-only)"
        )
