"""Strict loading of configs."""

import sys
from pathlib import Path

import pytest

from openstl_ext.config import identity, load
from openstl_ext.errors import ConfigError

FILE = """
_base_ = ["_base_/schedule.py"]
width = 8
model = dict(type="DirectForecast", net=dict(type="SimVP", hidden=(width, 2 * width), act=None))
custom_hooks = [dict(type="A", interval=1), dict(type="B")]
root = "data"
train_dataloader = dict(batch_size=4, dataset=dict(root=root, sizes=[1, 2]))
"""
BASE = "lr = 1e-3\noptim_wrapper = dict(optimizer=dict(type='Adam', lr=lr))\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config in a folder whose name has spaces and letters beyond ASCII."""
    folder = tmp_path / "mit Leerzeichen \u00e4\u65e5" / "configs" / "boiling"
    (folder / "_base_").mkdir(parents=True)
    (folder / "_base_" / "schedule.py").write_text(BASE)
    path = folder / "small.py"
    path.write_text(FILE)
    return path


def test_the_path_decides_the_identity_and_the_work_directory(file: Path) -> None:
    """Runs would write to unexpected folders, or overwrite each other."""
    cfg = load(file, seed=3)
    assert (cfg.identity, cfg.seed) == ("boiling/small", 3)
    assert Path(cfg.work_dir) == Path("work_dirs/boiling/small/seed_3")
    assert cfg.default_scope == "openstl_ext"
    assert cfg.model.net.hidden == (8, 16)
    assert cfg.optim_wrapper.optimizer.lr == 1e-3
    assert "width" not in cfg
    assert "lr" not in cfg
    assert identity("/home/me/ideas/try.py") == "ideas/try"
    assert identity("configs/a/b/c.py") == "a/b/c"
    assert load(file, work_dir="x y").work_dir == "x y"
    assert load(file).seed == 0


@pytest.mark.parametrize("plus", ["", "+"])
def test_a_hook_of_every_run_is_named_without_the_block_of_hooks(plus: str, file: Path) -> None:
    """A user who types checkpoint.keep=-1, as OpenSTL has no block of hooks, would be refused."""
    file.write_text(FILE + "default_hooks = dict(checkpoint=dict(keep=2))\n")
    cfg = load(file, [f"{plus}checkpoint.keep=-1"])
    assert cfg.default_hooks.checkpoint.keep == -1
    assert cfg.overrides == [f"{plus}default_hooks.checkpoint.keep=-1"]


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("optim_wrapper.optimizer.lr=5e-4", "optim_wrapper.optimizer.lr", 5e-4),
        ("train_dataloader.batch_size=16", "train_dataloader.batch_size", 16),
        ("custom_hooks.0.interval=7", "custom_hooks.0.interval", 7),
        ("custom_hooks.-1.type=C", "custom_hooks.1.type", "C"),
        ("train_dataloader.dataset.sizes.1=9", "train_dataloader.dataset.sizes", [1, 9]),
        ("train_dataloader.dataset.sizes=3,4", "train_dataloader.dataset.sizes", [3, 4]),
        ("model.net.hidden=(1, [2, none])", "model.net.hidden", (1, [2, None])),
        ("model.net.act=true", "model.net.act", True),
        ("model.net.act=False", "model.net.act", False),
        ("model.net.act=none", "model.net.act", None),
        ("model.net.act='none'", "model.net.act", "none"),
        ("model.net.act=a=b, c", "model.net.act", "a=b, c"),
        ("model.net.act=[SiLU, 'a,b']", "model.net.act", ["SiLU", "a,b"]),
        ("model.net.act=dict(a=B, x=[-1, 2e3])", "model.net.act", {"a": "B", "x": [-1, 2e3]}),
        ("model.net={'type': 'Persistence'}", "model.net", {"type": "Persistence"}),
        ("train_dataloader.dataset.root=2024", "train_dataloader.dataset.root", "2024"),
        ("train_dataloader.dataset.root=a b\u00e9", "train_dataloader.dataset.root", "a b\u00e9"),
        ("train_dataloader.dataset.root=", "train_dataloader.dataset.root", ""),
        ("+model.net.drop_path=0.1", "model.net.drop_path", 0.1),
        ("+randomness.deterministic=true", "randomness.deterministic", True),
        ("+custom_hooks.2=dict(type=C)", "custom_hooks.2.type", "C"),
        ("seed=5", "work_dir", str(Path("work_dirs/boiling/small/seed_5"))),
        ("resume=true", "resume", True),
        ("train_dataloader.num_workers=2", "train_dataloader.num_workers", 2),
    ],
)  # fmt: skip
def test_an_override_replaces_the_value_of_the_file(
    file: Path, override: str, path: str, value: object
) -> None:
    """A probe would measure another setting than the given one."""
    cfg = load(file, [override])
    found = cfg
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else found[part]
    assert found == value
    assert type(found) is type(value) or isinstance(value, dict)
    assert cfg.overrides == [override]
    assert load(cfg_dump(cfg, file))[path.split(".")[0]] == cfg[path.split(".")[0]]


def cfg_dump(cfg: object, file: Path) -> Path:
    """Write a config as a run does, which must be readable again."""
    path = file.with_name("dumped.py")
    cfg.dump(path)  # type: ignore[attr-defined]
    return path


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("modle.net.act=1", "did you mean 'model'"),
        ("model.net.hiden=1", "no 'hiden'; did you mean 'hidden'.*[+]model.net.hiden"),
        ("custom_hooks.5.type=A", "list of 2 items"),
        ("custom_hooks.x=A", "list of 2 items"),
        ("model.net.hidden.0=4", "can only be replaced completely"),
        ("train_dataloader.batch_size.x=4", "is 4 and has no 'x'"),
        ("optim_wrapper.optimizer.lr=1e-3x", "is 0.001, so a number is expected"),
        ("model.net=SimVP", "model.net.type=..."),
        ("optim_wrapper.optimizer.lr=1e999", "inf"),
        ("seed", "key=value"),
        ("=3", "key=value"),
        ("a..b=3", "key=value"),
        ("train_dataloader.num_worker=2", "no 'num_worker'"),
        ("val_dataloader.num_workers=2", "no 'val_dataloader'"),
        ("+sead=3", "no block 'sead'; did you mean 'seed'"),
    ],
)  # fmt: skip
def test_an_override_without_effect_is_refused(file: Path, override: str, message: str) -> None:
    """A typo would train the unchanged config under the name of a probe."""
    with pytest.raises(ConfigError, match=message):
        load(file, [override])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train_dataloadr = dict()", "no block 'train_dataloadr'; did you mean 'train_dataloader'"),
        ("log_levl = 'INFO'", "did you mean 'log_level'"),
        ("data_preprocessor = dict(type='X')", "no block 'data_preprocessor'"),
        ("import torch\nmodel = dict(x=torch.zeros(1))", "line 1: imports are not allowed"),
        ("model = dict(f=lambda x: x)", "line 1: lambda"),
        ("def f():\n    pass", "functiondef is not allowed"),
        ("model = dict(x=float('inf'))", "is a call"),
        ("model = dict(x=1e999)", "model.x is inf"),
        ("model = dict(x={1, 2})", "line 1: set is not allowed"),
        ("model = dict(x={1: 2})", "key 1 is not a string"),
        ("model = dict(x=open('x').read())", "is a call"),
        ("model = dict(x=[i for i in (1, 2)])", "listcomp"),
        ("model = dict(x=''.join)", "attribute access"),
        ("model = dict(", "line 1: "),
        ("_base_ = ['nowhere.py']", "no base 'nowhere.py'"),
        ("model = dict(x=undefined)", "undefined"),
        ("custom_imports = dict(imports=['no_such_plugin.foo'])", "PYTHONPATH"),
        ("custom_imports = dict(import_=['x'])", "custom_imports is written"),
    ],
)
def test_a_config_with_code_or_unknown_blocks_is_refused(
    file: Path, text: str, message: str
) -> None:
    """A misspelt block would be ignored, or loading a config would run its code."""
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load(file)


def test_a_missing_config_proposes_the_nearest(file: Path) -> None:
    """A user with a typo in a path would have to list folders."""
    with pytest.raises(ConfigError, match=r"did you mean .*boiling/small.py"):
        load(file.with_name("smal.py"))
    file.with_suffix(".yaml").write_text("model: 1")
    with pytest.raises(ConfigError, match=r"ends in \.py"):
        load(file.with_suffix(".yaml"))


def test_base_variables_and_deletion_work(file: Path) -> None:
    """The checks would prevent mmengine's inheritance, on which configs rely."""
    file.write_text(
        "_base_ = ['_base_/schedule.py']\n"
        "optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr={{_base_.lr}}))\n"
    )
    assert load(file).optim_wrapper.optimizer == {"type": "SGD", "lr": 1e-3}


SPLITS = """
root = "data"
names = ["a", "b"]
dataset = dict(type="A", root=root, names=names)
loader = dict(batch_size=4)
train_dataloader = dict(**loader, dataset=dict(**dataset, split="train"))
val_dataloader = dict(**loader, dataset=dict(**dataset, split="val"))
"""


def test_splits_share_a_variable_but_no_values(file: Path) -> None:
    """An override of the training data would change the validation data, too."""
    file.write_text(SPLITS)
    cfg = load(file, ["train_dataloader.dataset.names.0=c", "train_dataloader.batch_size=8"])
    assert not {"root", "names", "dataset", "loader"} & set(cfg)
    assert cfg.train_dataloader == {
        "batch_size": 8,
        "dataset": {"type": "A", "root": "data", "names": ["c", "b"], "split": "train"},
    }
    assert cfg.val_dataloader == {
        "batch_size": 4,
        "dataset": {"type": "A", "root": "data", "names": ["a", "b"], "split": "val"},
    }


def test_a_child_changes_the_block_of_its_base(file: Path) -> None:
    """A variant could not replace one argument of a dataset, or read a variable of its base."""
    file.with_name("base.py").write_text(SPLITS)
    file.write_text(
        "_base_ = 'base.py'\n"
        "loader = dict(dataset=dict(root='small'))\n"  # read in this file, hence allowed
        "train_dataloader = loader\n"
        "val_dataloader = loader\n"
        "test_dataloader = dict(dataset=dict(**_base_.dataset, split='test'))\n"
    )
    cfg = load(file)
    assert cfg.train_dataloader.dataset.root == cfg.val_dataloader.dataset.root == "small"
    assert cfg.train_dataloader.batch_size == 4
    assert cfg.val_dataloader.dataset.split == "val"
    assert cfg.test_dataloader.dataset.split == "test"
    assert cfg.test_dataloader.dataset.root == "data"
    assert "dataset" not in cfg


@pytest.mark.parametrize(
    "text",
    [
        "dataset = dict(root='small')",
        "root = 'small'",
        "loader, root = dict(batch_size=8), 'small'",
        "root = 'small'\nwork_dir = _base_.root",
    ],
)
def test_a_new_value_of_a_base_variable_is_refused(file: Path, text: str) -> None:
    """A variant would run on the data of its base, under its own name."""
    file.with_name("base.py").write_text(SPLITS)
    file.with_name("between.py").write_text("_base_ = 'base.py'\nmodel = dict(type='A')\n")
    for base in ("base.py", "between.py"):
        file.write_text(f"_base_ = {base!r}\n{text}\n")
        with pytest.raises(ConfigError, match=r"line 2: .*variable of a base.*; set the key of a"):
            load(file)


def test_a_variable_that_a_child_reads_may_change(file: Path) -> None:
    """A file between a base and its variant could not prepare a value for the variant."""
    file.with_name("base.py").write_text(SPLITS)
    file.with_name("between.py").write_text("_base_ = 'base.py'\nroot = 'small'\n")
    file.write_text("_base_ = 'between.py'\nwork_dir = _base_.root\n")
    file.with_name("variant.py").write_text(f"_base_ = {file.name!r}\n")
    for path in (file, file.with_name("variant.py")):
        cfg = load(path)
        assert (cfg.work_dir, cfg.train_dataloader.dataset.root) == ("small", "data")


def test_a_plugin_is_imported(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model could not be added without a fork of this project."""
    (file.parent / "a_plugin_of_mine.py").write_text("from openstl_ext.errors import UserError\n")
    (file.parent / "a_broken_plugin.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(file.parent)
    file.write_text("custom_imports = dict(imports=['a_plugin_of_mine'])")
    assert load(file).custom_imports.imports == ["a_plugin_of_mine"]
    with pytest.raises(ConfigError, match="fails with ZeroDivisionError"):
        load(file, ["custom_imports.imports=[a_broken_plugin]"])


def test_a_plugin_in_the_current_folder_is_imported(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A console script, unlike `python -m`, would not find a plugin that lies beside the user."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_plugin_in_the_folder.py").write_text("loaded = True\n")
    file.write_text("custom_imports = dict(imports=['a_plugin_in_the_folder'])")
    load(file)
    assert sys.modules["a_plugin_in_the_folder"].loaded
    assert sys.path[-1] == str(tmp_path)
    with pytest.raises(ConfigError, match="there is no module 'a_plugin_elsewhere'"):
        load(file, ["custom_imports.imports=[a_plugin_elsewhere]"])
