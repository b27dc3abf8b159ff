"""Every config equals its stored snapshot.

A snapshot is a config as it runs: bases merged, completed by the defaults of the engine. After an
intended change, ``python -m tests.test_config_snapshots`` renews ``tests/config_snapshots/``; the
difference that git shows is then part of the review.
"""

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from openstl_ext.config import load
from openstl_ext.engine.defaults import complete

ROOT = Path(__file__).parents[1] / "configs"
SNAPSHOTS = Path(__file__).parent / "config_snapshots"
CONFIGS = sorted(p for p in ROOT.rglob("*.py") if "_base_" not in p.relative_to(ROOT).parts)
RENEW = "if this is intended, run `python -m tests.test_config_snapshots`"


def name_of(path: Path) -> str:
    """Return the path of a config below configs/, without the suffix."""
    return path.relative_to(ROOT).with_suffix("").as_posix()


def snapshot_of(path: Path) -> dict[str, Any]:
    """Return the blocks of a completed config, the same on every machine."""
    with patch("torch.cuda.is_available", return_value=False):
        blocks: dict[str, Any] = complete(load(path)).to_dict()
    del blocks["experiment_name"]  # counts the runs of the process
    blocks["work_dir"] = Path(blocks["work_dir"]).as_posix()
    found: dict[str, Any] = json.loads(json.dumps(blocks))
    return found


def stored(dataset: str) -> dict[str, Any]:
    """Return the snapshots of a dataset's configs by name."""
    text = (SNAPSHOTS / f"{dataset}.json").read_text(encoding="utf-8")
    snapshots: dict[str, Any] = json.loads(text)
    return snapshots


def text_of(snapshots: dict[str, dict[str, Any]]) -> str:
    """Return snapshots as JSON with one line per block."""
    configs = []
    for name, blocks in sorted(snapshots.items()):
        lines = [f'"{key}": {json.dumps(blocks[key], sort_keys=True)}' for key in sorted(blocks)]
        configs.append(f'"{name}": {{\n' + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(configs) + "\n}\n"


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_a_config_equals_its_snapshot(path: Path) -> None:
    """A change of a base or of a default would change other recipes unnoticed."""
    name, found = name_of(path), snapshot_of(path)
    expected = stored(name.partition("/")[0]).get(name, {})
    changed = {
        block: f"{expected.get(block)} -> {found.get(block)}"
        for block in sorted(expected.keys() | found.keys())
        if expected.get(block) != found.get(block)
    }
    assert not changed, f"{name} differs from its snapshot in {', '.join(changed)}; {RENEW}"


def test_every_snapshot_belongs_to_a_config() -> None:
    """Snapshots of deleted configs would remain."""
    names = [name for file in SNAPSHOTS.glob("*.json") for name in stored(file.stem)]
    assert sorted(names) == sorted(map(name_of, CONFIGS)), RENEW


def renew() -> None:
    """Write the snapshots of all configs, and delete those of configs that are gone."""
    snapshots: dict[str, dict[str, Any]] = {}
    for path in CONFIGS:
        name = name_of(path)
        snapshots.setdefault(name.partition("/")[0], {})[name] = snapshot_of(path)
    SNAPSHOTS.mkdir(exist_ok=True)
    for old in SNAPSHOTS.glob("*.json"):
        old.unlink()
    for dataset, configs in snapshots.items():
        (SNAPSHOTS / f"{dataset}.json").write_text(text_of(configs), encoding="utf-8")


if __name__ == "__main__":
    renew()
