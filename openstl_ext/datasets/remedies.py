"""Commands that make missing data, for messages."""

import shlex
from pathlib import Path

MINIATURE = "miniature"
"""Folder below which the recipes have synthetic miniatures."""
SCENES = "sensor_scenes"
"""Folder of the synthetic scenes and pairs of several sensors."""


def command_for(name: str, root: Path | str, *words: str) -> str:
    """Return the command that makes the data of a folder; below ``miniature``, synthetic ones.

    Args:
        name: Name of the data for ``openstl-ext data``.
        root: Folder of the data.
        words: Further words of the command, of the real data only.
    """
    further = ("--miniature",) if is_miniature(root) else words
    return shlex.join(["openstl-ext", "data", name, *further, "--root", str(root)])


def is_miniature(root: Path | str) -> bool:
    """Return whether a folder is for a synthetic miniature."""
    return MINIATURE in Path(root).parts


def command_for_scenes(root: Path | str) -> str | None:
    """Return the command that writes synthetic scenes, if a folder is for them."""
    path = Path(root)
    folder = next((place for place in (path, *path.parents) if place.name == SCENES), None)
    return None if folder is None else command_for("sensor-scenes", folder)
