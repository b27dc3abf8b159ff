"""Split lists of scenes: text files with the name of an image a line."""

from pathlib import Path

from openstl_ext.datasets.base import SPLITS
from openstl_ext.datasets.scenes.files import SMARTIES_LISTS, Scene, SceneFacts, SceneFolders
from openstl_ext.errors import ConfigError, DataError, nearest
from openstl_ext.text_file import read_lines

RULES = ("stratified", "longitude")
"""Rules by which ``openstl-ext data scenes`` writes lists; published lists have other names."""
SMARTIES = "smarties"


def read_split(folders: SceneFolders, rule: str | None, split: str) -> list[Scene]:
    """Read the images of a split, in the order of its list.

    Args:
        folders: Images of the set.
        rule: Name of the lists; the default one of the set if not given.
        split: One of train, val, test.

    Raises:
        ConfigError: If the set has no such lists, or these have no such split.
        DataError: If the list is missing or empty, names an image that does not exist, or an image
            twice or in the list of another split.
    """
    facts = folders.facts
    rule = rule_of(facts, rule)
    paths = {name: folders.root / list_name(facts, rule, name) for name in parts_of(rule)}
    if split not in paths:
        raise ConfigError(
            f"the lists of SMARTIES have two parts, {' and '.join(paths)}, so there is no {split}; "
            "to validate as published, set split='test' in val_dataloader, which the record "
            "states, or use other split_lists"
        )
    if not paths[split].is_file():
        raise DataError(f"{paths[split]}: there is no such split list; {_remedy(folders, rule)}")
    scenes = _read(folders, paths[split])
    ids = {scene.id for scene in scenes}
    for name, path in paths.items():
        if name != split and path.is_file():
            shared = sorted(ids & {scene.id for scene in _read(folders, path)})
            if shared:
                raise DataError(
                    f"{paths[split]} and {path.name} share {len(shared)} images, such as "
                    f"{shared[0]}; remove them from one"
                )
    return scenes


def rule_of(facts: SceneFacts, rule: str | None) -> str:
    """Return the rule, the default one of the set if not given.

    Raises:
        ConfigError: If the set has no such lists.
    """
    if rule is None:
        return next(iter(facts.lists))
    if rule not in facts.lists:
        raise ConfigError(
            f"{facts.title} has no split_lists {rule!r}; {nearest(rule, facts.lists)}"
        )
    return rule


def list_name(facts: SceneFacts, rule: str, split: str) -> str:
    """Return the name of a list below the root of the set."""
    if rule == SMARTIES and split == "test":
        split = "val"  # its name; it is the part whose scores are published
    return facts.lists[rule].format(split=split)


def parts_of(rule: str) -> tuple[str, ...]:
    """Return the splits that have a list."""
    return ("train", "test") if rule == SMARTIES else SPLITS


def _read(folders: SceneFolders, path: Path) -> list[Scene]:
    scenes: dict[str, Scene] = {}
    for line in read_lines(path):
        try:
            scene = folders.find(line.strip())
        except DataError as error:
            raise DataError(f"{path}: {error}; correct the list, or get the image") from None
        if scene.id in scenes:
            raise DataError(f"{path}: names {scene.id} twice; remove one of the lines")
        scenes[scene.id] = scene
    if not scenes:
        raise DataError(f"{path}: the list is empty; write or fetch it again")
    return list(scenes.values())


def _remedy(folders: SceneFolders, rule: str) -> str:
    facts = folders.facts
    if rule == "own":
        return "write it, with the path of an image below the root in each line"
    command = f"openstl-ext data scenes {facts.name} --root {folders.root} --rule"
    if rule == SMARTIES:
        return f"copy {SMARTIES_LISTS} of SMARTIES' repository there"
    if rule in RULES:
        return f"write it with `{command} {rule}`"
    ours = "longitude" if rule == "spatial" else "stratified"
    return (
        f"fetch it from {facts.source}, or write others with `{command} {ours}` and set "
        f"split_lists={ours!r}"
    )
