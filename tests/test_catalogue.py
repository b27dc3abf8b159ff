"""The list of what there is tells the truth."""

from pathlib import Path

import pytest

from openstl_ext import catalogue
from openstl_ext.registry import METRICS, MODELS

ROOT = Path(__file__).parents[1]
START, END = "<!-- catalogue -->", "<!-- /catalogue -->"


def test_every_part_and_every_config_is_listed_with_a_line() -> None:
    """If this fails, what is not listed is not found."""
    said = catalogue.text()
    configs = ROOT / "configs"
    for path in configs.rglob("*.py"):
        assert ("_base_" in path.parts) != (path.relative_to(ROOT).as_posix() in said)
    for registry in (MODELS, METRICS):
        for name in catalogue.registered(registry):
            assert f"  {name} " in said
    for kind, entries in catalogue.parts().items():
        assert entries, f"no {kind} is listed"
        for name, line in entries.items():
            assert line, f"{name} has no docstring"
            assert line[-1] in ".?!", f"the first line of {name} is no sentence: {line!r}"


def test_recipes_stand_under_their_published_names(tmp_path: Path) -> None:
    """If this fails, users who know SimVP-gSTA find DirectForecast, which they do not know."""
    (tmp_path / "data_x").mkdir()
    (tmp_path / "data_x" / "foo.py").write_text(
        '"""Made for a test."""\n'
        "model = dict(type='DirectForecast', net=dict(type='Persistence'))\n"
        "source = dict(name='Foo-Net')\n"
    )
    assert "  configs/data_x/foo.py\n      Foo-Net = DirectForecast + Persistence. Made" in (
        catalogue.text(tmp_path)
    )
    row = "| Foo-Net | DirectForecast + Persistence | `configs/data_x/foo.py` | Made for a test. |"
    assert row in catalogue.table(tmp_path)


def test_the_readme_holds_the_table() -> None:
    """If this fails, the README shows what was; `python -m openstl_ext.catalogue` prints it."""
    readme = ROOT / "README.md"
    if not readme.is_file():
        pytest.skip("there is no README here, as in an installed package")
    text = readme.read_text(encoding="utf-8")
    assert START in text
    held = text.partition(START)[2].partition(END)[0].strip()
    assert held == catalogue.table().strip()
