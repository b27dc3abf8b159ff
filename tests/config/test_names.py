"""Configs are found by name."""

from pathlib import Path

import pytest

from openstl_ext.config import config_names, find_config, installed_configs, load
from openstl_ext.errors import ConfigError

NAME = "boiling/simvp_gsta_small"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", [NAME, f"{NAME}.py"])
def test_a_name_is_found_in_an_empty_folder(folder: Path, name: str) -> None:
    """Nobody could train a recipe without a checkout of the project."""
    cfg = load(name)
    assert cfg.identity == NAME
    assert Path(cfg.work_dir) == Path("work_dirs", NAME, "seed_0")


def test_a_path_comes_before_own_configs_and_these_before_the_installed(folder: Path) -> None:
    """A config of the user could not replace the installed one of its name."""
    assert find_config(NAME) == installed_configs() / f"{NAME}.py"
    own = write(folder / f"configs/{NAME}.py", "seed = 1")
    assert load(NAME).seed == 1
    assert find_config(NAME).samefile(own)
    assert find_config(f"configs/{NAME}").samefile(own)
    write(folder / f"{NAME}.py", "seed = 2")
    assert load(NAME).seed == 2


def test_all_names_are_listed(folder: Path) -> None:
    """Completion and the nearest names would lack configs."""
    write(folder / "configs/mine/net.py", "seed = 1")
    write(folder / "configs/_base_/runtime.py", "seed = 1")
    names = config_names()
    assert {NAME, "mine/net"} <= set(names)
    assert not [name for name in names if "_base_" in name]


@pytest.mark.parametrize(
    ("typo", "message"),
    [
        ("boiling/simvp_gsta_smal", f"did you mean '{NAME}'"),
        ("simvp_gsta_small", f"'{NAME}'"),
        ("nothing_like_it", "openstl-ext list"),
    ],
)
def test_a_typo_in_a_name_proposes_the_nearest(folder: Path, typo: str, message: str) -> None:
    """A user would have to search the installed package for names."""
    with pytest.raises(ConfigError, match=f"there is no config .*{message}"):
        load(typo)


def test_a_base_can_be_named(folder: Path) -> None:
    """A config outside of a checkout could not build on a recipe of this package."""
    write(folder / f"configs/{NAME}.py", f"_base_ = '{NAME}'\nseed = 7\n")
    child = write(
        folder / "child.py",
        f"_base_ = ['{NAME}']  # extends a recipe\n"
        "param_scheduler = [dict(**_base_.cycle, eta_max=1e-3)]\n",
    )
    cfg = load(child)
    assert (cfg.seed, cfg.model.net.type) == (7, "SimVP")
    assert cfg.param_scheduler[0].eta_max == 1e-3
    assert Path(cfg.filename) == child
    write(folder / "child.py", "_base_ = ['boiling/simvp_gsta_smal']")
    with pytest.raises(ConfigError, match="there is no base 'boiling/simvp_gsta_smal'"):
        load(child)
