"""Write the settings from which branching motion is drawn."""

import argparse
import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from openstl_ext.atomic_io import atomic_file
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.folder_lock import sole_writer
from openstl_ext.json_file import read_json

RECORD = "branching_motion.json"


@dataclass(frozen=True, kw_only=True)
class BranchingSettings:
    """Settings that determine a set.

    Args:
        num_train: Sequences of a training epoch.
        num_val: Sequences of the validation split.
        num_test: Sequences of the test split.
        image_size: Side of a frame, in pixels.
        speed: Pixels per frame.
        radius: Standard deviation of the spot, in pixels.
        angle: Angle of the turn to either side, in degrees.
        left_prob: Probability of the left branch.
        seed: Seed of validation and test.

    Raises:
        ConfigError: If a value is out of range.
    """

    num_train: int = 800
    num_val: int = 80
    num_test: int = 200
    image_size: int = 16
    speed: float = 1.2
    radius: float = 1.0
    angle: float = 45.0
    left_prob: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("num_train", "num_val", "num_test", "image_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name, limit in {"speed": 1e6, "radius": 1e6, "angle": 180}.items():
            if not 0 < getattr(self, name) < limit:
                raise ConfigError(
                    f"{name} must be above 0 and below {limit:g}, got {getattr(self, name)}"
                )
        if not 0 <= self.left_prob <= 1 or self.seed < 0:
            raise ConfigError(
                "left_prob must be in [0, 1] and seed at least 0, got "
                f"{self.left_prob} and {self.seed}"
            )

    @property
    def checksum(self) -> str:
        """Checksum of the settings that decide a sequence; empty if they are the default ones."""
        facts = {k: v for k, v in asdict(self).items() if not k.startswith("num_")}
        default = {field.name: field.default for field in fields(self)}
        if all(default[name] == value for name, value in facts.items()):
            return ""
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:6]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``openstl-ext data`` for this dataset."""
    root, told = Path("data/branching_motion"), "%(default)s"
    parser.add_argument("--root", type=Path, default=root, help=f"folder ({told})")
    for field in fields(BranchingSettings):
        kind = type(field.default)
        parser.add_argument(f"--{field.name}", type=kind, default=field.default, help=f"({told})")


def run(args: argparse.Namespace) -> None:
    """Write the settings."""
    names = [field.name for field in fields(BranchingSettings)]
    settings = BranchingSettings(**{name: getattr(args, name) for name in names})
    with sole_writer(args.root, "settings of branching motion"):
        write_settings(args.root, settings)
    print(f"branching motion is drawn from {args.root / RECORD}")


def write_settings(root: Path, settings: BranchingSettings) -> None:
    """Write the settings to a folder, or compare them with those that are there.

    Raises:
        DataError: If the folder has others.
    """
    root.mkdir(parents=True, exist_ok=True)
    path, requested = root / RECORD, asdict(settings)
    if path.is_file():
        found = asdict(read_settings(path))
        if differ := [k for k in requested if found[k] != requested[k]]:
            pairs = ", ".join(f"{k} is {found[k]}, not {requested[k]}" for k in differ)
            raise DataError(f"{path} has another set ({pairs}); choose another --root")
        return
    with atomic_file(path) as file:
        file.write(json.dumps(requested, indent=1).encode())


def read_settings(path: Path) -> BranchingSettings:
    """Read the settings of a set.

    Raises:
        DataError: If the file is damaged or lacks a setting.
        ConfigError: If a setting is out of range.
    """
    advice = "delete it and run `openstl-ext data branching-motion` again"
    return read_json(path, BranchingSettings, advice=advice)
