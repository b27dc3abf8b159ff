"""Damaged samples of every format: found when they are read or by checksum, or without effect."""

import hashlib
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openstl_ext.datasets.boiling.prepare import BoilingSettings, generate
from openstl_ext.datasets.formats.checksums import verify_checksums, write_checksums
from openstl_ext.datasets.formats.folder_split import SplitSettings, create_loaders
from openstl_ext.datasets.frame_folders import FrameFolders
from openstl_ext.datasets.kth import KTH
from openstl_ext.datasets.moving_mnist import MovingMNIST
from openstl_ext.datasets.synthetic import kth, moving_mnist, taxibj
from openstl_ext.datasets.taxibj import TaxiBJ
from openstl_ext.engine.loops import Seeded
from openstl_ext.errors import UserError
from tests.faults.row import Row

Corrupt = Callable[[Path, np.random.Generator], None]
SPLITS = ("train", "val", "test")
ITEMS = 6
"""Items of each split that are read."""


@dataclass(frozen=True)
class Target:
    """A small set in one format.

    Args:
        name: The format.
        root: Folder of the set.
        pattern: Pattern of the files that are damaged.
        build: Builds the dataset of a split.
        kinds: Kinds of damage.
        times: Number of damaged samples.
    """

    name: str
    root: Path
    pattern: str
    build: Callable[[str], Any]
    kinds: tuple[Corrupt, ...]
    times: int

    def digest(self) -> str:
        """Read some items of each split, as a run does, and return a hash of their values.

        Raises:
            UserError: If the damage is found.
        """
        found = hashlib.sha256()
        for split in SPLITS:
            films = Seeded(dataset=self.build(split), seed=0)
            for index in range(min(ITEMS, len(films))):
                item = films[index]
                for side in ("inputs", "data_samples"):
                    found.update(item[side]["frames"].numpy().tobytes())
        return found.hexdigest()


def truncated(path: Path, chance: np.random.Generator) -> None:
    """Keep a part of the file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(chance.integers(len(data)))])


def zeroed(path: Path, chance: np.random.Generator) -> None:
    """Replace a block by zeros, as a file system does after a power failure."""
    data = bytearray(path.read_bytes())
    start = int(chance.integers(len(data)))
    data[start : start + 512] = bytes(len(data[start : start + 512]))
    path.write_bytes(data)


def flipped(path: Path, chance: np.random.Generator) -> None:
    """Flip one bit."""
    data = bytearray(path.read_bytes())
    data[int(chance.integers(len(data)))] ^= 1 << int(chance.integers(8))
    path.write_bytes(data)


def appended(path: Path, chance: np.random.Generator) -> None:
    """Append bytes."""
    path.write_bytes(path.read_bytes() + chance.bytes(7))


def removed(path: Path, chance: np.random.Generator) -> None:
    """Delete the file."""
    del chance
    path.unlink()


def array_damage(change: Callable[[Any], Any]) -> Corrupt:
    """Return a kind of damage that writes another array in the same format."""

    def corrupt(path: Path, chance: np.random.Generator) -> None:
        del chance
        if path.suffix == ".npz":
            with np.load(path) as stored:
                arrays = dict(stored)
            name = sorted(arrays)[-1]
            np.savez(path, **{**arrays, name: change(arrays[name])})
        else:
            np.save(path, change(np.load(path)))

    return corrupt


def with_one(value: float) -> Callable[[Any], Any]:
    """Return a change of the last value of an array."""

    def change(array: Any) -> Any:
        array = array.astype(np.float64)
        array.reshape(-1)[-1] = value
        return array

    return change


BYTES = (truncated, zeroed, flipped, flipped, flipped, appended, removed)
ARRAYS = tuple(
    array_damage(change)
    for change in (
        lambda array: array[..., :-1],  # another shape
        lambda array: array[:0],
        lambda array: np.swapaxes(array, 0, -1),
        lambda array: np.full(array.shape, np.nan),
        with_one(np.nan),
        with_one(np.inf),
        with_one(1e30),
        with_one(-3.4e38),
        lambda array: array.astype(complex),
        lambda array: array.astype(str),
        lambda array: 255 * array.astype(float),
        lambda array: np.zeros_like(array),
    )
)


def targets(home: Path) -> Iterator[Target]:
    """Write the sets, and yield them."""
    steps: dict[str, Any] = {"num_inputs": 2, "num_targets": 3}
    settings = BoilingSettings(num_samples=8, num_frames=5, image_size=16)
    split = SplitSettings(train_ratio=0.5, val_ratio=0.25)

    def frames(root: Path) -> Callable[[str], FrameFolders]:
        return lambda s: FrameFolders(root=str(root), split=s, unit="0-1", **steps)

    root = home / "frames"
    generate(root, settings, packed=False)
    create_loaders(root, split)
    yield Target(".npy per frame", root, "*/*.npy", frames(root), BYTES + ARRAYS, 130)
    root = home / "compressed"
    generate(root, settings, packed=False)
    for path in list(root.glob("*/*.npy")):
        np.savez_compressed(path.with_suffix(".npz"), data=np.load(path))
        path.unlink()
    create_loaders(root, split)
    yield Target(".npz per frame", root, "*/*.npz", frames(root), BYTES + ARRAYS, 80)
    root = home / "packed"
    generate(root, settings, files=False)
    create_loaders(root, split)
    yield Target("packed array", root, "packed.npy", frames(root), BYTES + ARRAYS, 80)
    root = home / "taxibj"
    taxibj.write(root, num_train=30, num_test=6)
    yield Target(
        "TaxiBJ .npz", root, "*.npz", lambda s: TaxiBJ(root=str(root), split=s), BYTES + ARRAYS, 60
    )
    root = home / "moving_mnist"
    moving_mnist.write(root, num_digits=60, num_sequences=8)
    build = lambda s: MovingMNIST(root=str(root), split=s, epoch_length=6, val_length=6)  # noqa: E731
    yield Target("Moving MNIST .gz", root, "train*.gz", build, BYTES, 50)
    yield Target("Moving MNIST .npy", root, "*.npy", build, BYTES + ARRAYS, 50)
    for form, pattern in (("avi", "*/*.avi"), ("jpeg", "*/*/*.jpg")):
        folder = home / form
        kth.write(folder, num_frames=8, persons=(1, 15, 17), form=form)
        build = lambda s, f=folder: KTH(root=str(f), split=s, image_size=32, **steps)  # noqa: E731
        yield Target(f"KTH {form}", folder, pattern, build, BYTES, 60)


def outcome(target: Target, reference: str) -> str:
    """Return how damage of a set came out: ``read``, ``verify``, ``right`` or ``lost``.

    ``read`` means that reading refused it or warned, ``verify`` that its checksum differs, and
    ``right`` that the values are those of before.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            if target.digest() == reference:
                return "right"
        except (UserError, UserWarning):
            return "read"
    try:
        verify_checksums(target.root)
    except UserError:
        return "verify"
    return "lost"


def rows(share: int = 1) -> Iterator[Row]:
    """Yield a row for each format.

    Args:
        share: Only every n-th damaged sample.
    """
    with tempfile.TemporaryDirectory() as folder:
        for target in targets(Path(folder)):
            chance = np.random.default_rng(0)
            write_checksums(target.root)
            reference = target.digest()
            paths = sorted(target.root.glob(target.pattern))
            found: list[str] = []
            for number in range(0, target.times, share):
                corrupt = target.kinds[number % len(target.kinds)]
                path = paths[number * 7 % len(paths)]
                whole = path.read_bytes()
                corrupt(path, chance)
                try:
                    found.append(outcome(target, reference))
                finally:
                    path.write_bytes(whole)
            counts = {kind: found.count(kind) for kind in ("read", "verify", "right", "lost")}
            yield Row(
                f"corrupt samples: {target.name}",
                len(found),
                counts["read"] + counts["verify"],
                counts["right"],
                counts["lost"],
                f"{counts['read']} found when read, {counts['verify']} by `data verify`",
            )
