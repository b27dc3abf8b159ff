"""The list of recipes and parts is complete."""

from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.commands import list as catalogue
from openstl_ext.errors import UserError
from openstl_ext.registry import METRICS, MODELS

ROOT = Path(__file__).parents[2]


def test_every_part_and_every_config_is_listed_with_a_line() -> None:
    """A user would not find what is not listed."""
    listed = catalogue.text()
    configs = ROOT / "configs"
    for path in configs.rglob("*.py"):
        name = path.relative_to(configs).with_suffix("").as_posix()
        assert ("_base_" in path.parts) != (f"  {name}\n" in listed)
    for registry in (MODELS, METRICS):
        for name in catalogue.registered(registry):
            assert f"  {name} " in listed
    for kind, entries in catalogue.parts().items():
        assert entries, f"no {kind} is listed"
        for name, line in entries.items():
            assert line, f"{name} has no docstring"
            assert line[-1] in ".?!", f"the first line of {name} is no sentence: {line!r}"


def test_recipes_of_the_current_folder_are_listed_with_their_published_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Users of SimVP-gSTA would find DirectForecast only, a name of this package."""
    (tmp_path / "configs/data_x").mkdir(parents=True)
    (tmp_path / "configs/data_x/foo.py").write_text(
        '"""Made for a test."""\n'
        "model = dict(type='DirectForecast', net=dict(type='Persistence'))\n"
        "source = dict(name='Foo-Net')\n"
    )
    monkeypatch.chdir(tmp_path)
    cli.call(["list", "recipes"])
    listed = capsys.readouterr().out
    assert "  data_x/foo\n      Foo-Net = DirectForecast + Persistence. Made" in listed
    assert "metrics" not in listed
    row = "| `data_x/foo` | Foo-Net | DirectForecast | Persistence | Made for a test. |"
    assert row in catalogue.markdown()


def test_an_unknown_kind_proposes_the_nearest() -> None:
    """A typo would print an empty list."""
    with pytest.raises(UserError, match="did you mean 'metric'"):
        cli.call(["list", "metrik"])


def test_the_catalogue_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """The documentation would list other recipes; the first line of the file has the command."""
    monkeypatch.chdir(ROOT)
    written = (ROOT / "docs/catalogue.md").read_text(encoding="utf-8")
    assert written.strip() == catalogue.markdown(), (
        "call: openstl-ext list --markdown > docs/catalogue.md"
    )
    for entries in catalogue.every_class().values():
        for name, line in entries.items():
            assert line.endswith((".", "?")), f"the first docstring line of {name} is no sentence"
