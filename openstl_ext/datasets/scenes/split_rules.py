"""Rules that assign scenes to training, validation and test, and write the lists."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from openstl_ext.atomic_io import atomic_write
from openstl_ext.datasets.base import SPLITS
from openstl_ext.datasets.scenes.files import Scene, SceneFacts, SceneFolders
from openstl_ext.datasets.scenes.split_lists import RULES, list_name
from openstl_ext.errors import ConfigError, DataError, nearest
from openstl_ext.rasters.lonlat import lonlat
from openstl_ext.rasters.raster_file import RasterFile
from openstl_ext.rasters.window import Window

HELD_OUT = 0.2
"""Share of the images in validation, and in test."""


def write_lists(root: Path, facts: SceneFacts, rule: str, *, seed: int = 0) -> list[str]:
    """Write the split lists of a rule: one text file a split, one ``Class/file`` a line.

    Args:
        root: Folder of the set.
        facts: Its published form.
        rule: ``stratified`` or ``longitude``.
        seed: Seed of the stratified rule.

    Returns:
        A line for each list, and one that names classes without images.

    Raises:
        ConfigError: If the set does not have this rule.
        DataError: If images are missing, a folder is no class, a class has fewer than three images,
            or an image has no georeference.
    """
    if rule not in facts.lists or rule not in RULES:
        known = [name for name in RULES if name in facts.lists]
        raise ConfigError(f"{facts.title} has no rule {rule!r}; {nearest(rule, known)}")
    scenes = SceneFolders(root, facts).scenes
    parts = stratified(scenes, seed=seed) if rule == "stratified" else by_longitude(scenes)
    lines = []
    for split, part in zip(SPLITS, parts, strict=True):
        path = root / list_name(facts, rule, split)
        names = (f"{scene.path.parent.name}/{scene.path.name}\n" for scene in part)
        atomic_write(path, "".join(names).encode())
        lines.append(f"{path}: {len(part)} images")
    present = {scene.label for scene in scenes}
    absent = [name for label, name in enumerate(facts.classes) if label not in present]
    if absent:
        lines.append(
            f"{len(absent)} of {len(facts.classes)} classes have no images: {', '.join(absent)}"
        )
    return lines


def stratified(scenes: Sequence[Scene], *, seed: int = 0) -> list[list[Scene]]:
    """Split each class on its own: 60 % training, 20 % validation, 20 % test.

    The images of a class are sorted by the SHA-256 of ``<seed>/<id>``. The first fifth (rounded, at
    least one) is the test, the second validation. The split of an image changes little if others
    are added, and is the same on every machine.

    Returns:
        Training, validation and test, each by class and name.

    Raises:
        DataError: If a class has fewer than three images.
    """
    parts: list[list[Scene]] = [[], [], []]
    for label in sorted({scene.label for scene in scenes}):
        ours = [scene for scene in scenes if scene.label == label]
        if len(ours) < len(SPLITS):
            raise DataError(
                f"{ours[0].path.parent}: {len(ours)} images, but three splits need at least one "
                "each; add images, or remove the folder"
            )
        ours.sort(key=lambda scene: hashlib.sha256(f"{seed}/{scene.id}".encode()).digest())
        held = max(1, round(HELD_OUT * len(ours)))
        for part, chosen in zip(
            parts, (ours[2 * held :], ours[held : 2 * held], ours[:held]), strict=True
        ):
            part += sorted(chosen, key=lambda scene: scene.id)
    return parts


def by_longitude(scenes: Sequence[Scene]) -> list[list[Scene]]:
    """Split by the longitude of the pixel in the centre: from the west 60, 20 and 20 % of the set.

    Neighbouring images are then in one split, except at the two borders. Images of one longitude
    are sorted by name.

    Returns:
        Training, validation and test, from west to east.

    Raises:
        DataError: If an image has no georeference.

    Source:
        The idea of ``EuroSATSpatial`` in torchgeo, whose lists may have another direction.
    """
    places = {scene.id: _longitude(scene.path) for scene in scenes}
    ordered = sorted(scenes, key=lambda scene: (places[scene.id], scene.id))
    ends = [round(len(ordered) * share) for share in (1 - 2 * HELD_OUT, 1 - HELD_OUT)]
    return [ordered[: ends[0]], ordered[ends[0] : ends[1]], ordered[ends[1] :]]


def _longitude(path: Path) -> float:
    raster = RasterFile(path)
    grid = raster.grid
    raster.dataset.close()
    if not grid.crs:
        raise DataError(f"{path}: has no georeference, which a split by longitude needs")
    return float(lonlat(grid, Window(grid.height // 2, grid.width // 2, 1, 1))[0, 0, 0])
