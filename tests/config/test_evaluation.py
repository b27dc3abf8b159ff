"""Expressions of a config are parsed within bounds, and never executed."""

import time
from pathlib import Path

import pytest

from openstl_ext.config import load
from openstl_ext.errors import ConfigError


def load_text(folder: Path, text: str, name: str = "config.py") -> object:
    """Load a config with one text."""
    path = folder / name
    path.write_text(text)
    return load(path)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("20 * 25", 500),
        ("2 ** -1", 0.5),
        ("-(1 + 2) / 4", -0.75),
        ("7 // 2 % 2", 1),
        ("[1] * 2 + [*(2, 3), 4]", [1, 1, 2, 3, 4]),
        ("('a',) + ('b' * 3,)", ("a", "bbb")),
        ("{**dict(a=1), 'b': [None, True]}", {"a": 1, "b": [None, True]}),
        ("dict(dict(a=1), b=2)", {"a": 1, "b": 2}),
        ("[0, 1, 2][1:]", [1, 2]),
        ("dict(a=dict(b=3))['a']['b']", 3),
    ],
)
def test_plain_values_and_arithmetic_are_computed(
    tmp_path: Path, expression: str, value: object
) -> None:
    """A recipe that writes 20 * 25 iterations could not be loaded."""
    cfg = load_text(tmp_path, f"model = dict(type='A', x={expression})")
    assert cfg.model.x == value  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 9**9**9", "line 1: a whole number has at most 64 bits"),
        ("seed = 10**10**10", "at most 64 bits"),
        ("seed = 0x" + "f" * 9000, "at most 64 bits"),
        ("model = dict(x='a' * 10**10)", "more than 100,000 values"),
        ("model = dict(x=[0] * 10**9)", "more than 100,000 values"),
        ("model = dict(x='%1000000000d' % 1)", "cannot be combined"),
        ("a = [1]\n" + "a = [a, a]\n" * 60 + "model = dict(x=a)", "more than 100,000 values"),
        ("a = 1\n" + "a = [a]\n" * 500 + "model = dict(x=a)", "deeper than 50 levels"),
        ("a = 'x'\n" + "a = a + a\n" * 60 + "model = dict(x=a)", "more than 100,000 values"),
        ("model = " + "[" * 5000 + "]" * 5000, "nested"),
        ("model = " + "-" * 100_000 + "1", "nested"),
        ("model = " + "+".join(["1"] * 30_000), "nested"),
        ("model = dict(x=1 / 0)", "line 1: division by zero"),
        ("model = dict(x={{ fileDirname }})", "nothing is substituted but"),
        ("model = dict(x='{{$HOME:none}}')", "nothing is substituted"),
        ("model = dict(**{'a': 1}, a=2)", "'a' is given twice"),
        ("x = _base_.nothing", "the bases have no 'nothing'"),
        ("print('hello')", "line 1: call without a name"),
        ("x = [y for y in (1,)]", "listcomp is not allowed"),
        ("x = __import__('os').system('touch EXECUTED')", "is a call"),
        ("#" * 1_000_001, "at most 1,000,000 bytes"),
        ("_base_ = 3", "_base_ is 3; it is set once, to the path or name"),
        ("_base_ = ['a.py', 3]", r"_base_ is \['a.py', 3\]"),
        ("_base_ = open('x')", "is a call"),
    ],
    ids=lambda text: text[:40],
)
def test_a_hostile_config_ends_at_once_with_one_sentence(
    tmp_path: Path, text: str, message: str
) -> None:
    """A config of another person could run code, fill the memory or never end."""
    start = time.monotonic()
    with pytest.raises(ConfigError, match=message) as caught:
        load_text(tmp_path, text)
    assert time.monotonic() - start < 5
    assert len(str(caught.value)) < 1000
    assert "\n" not in str(caught.value)


def test_files_that_include_each_other_are_named_in_order(tmp_path: Path) -> None:
    """The loader would recurse until Python ends it."""
    load_text(tmp_path, "seed = 1", "c.py")
    (tmp_path / "a.py").write_text("_base_ = ['c.py', 'b.py']")
    with pytest.raises(ConfigError, match=r"includes itself: .*b\.py -> .*a\.py -> .*b\.py; rem"):
        load_text(tmp_path, "_base_ = 'a.py'", "b.py")
    with pytest.raises(ConfigError, match=r"self\.py includes itself: .*self\.py -> .*self\.py"):
        load_text(tmp_path, "_base_ = 'self.py'", "self.py")


def test_bases_that_multiply_are_bounded(tmp_path: Path) -> None:
    """Thirty small files could be read a billion times."""
    (tmp_path / "0.py").write_text("")
    for index in range(30):
        (tmp_path / f"{index + 1}.py").write_text(f"_base_ = ['{index}.py', '{index}.py']")
    with pytest.raises(ConfigError, match="at most 100 files"):
        load(tmp_path / "30.py")


def test_two_bases_may_not_set_the_same_block(tmp_path: Path) -> None:
    """Which of both counts would depend on their order."""
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("seed = 1")
    with pytest.raises(ConfigError, match=r"'seed' is set by two bases, one of them .*b\.py"):
        load_text(tmp_path, "_base_ = ['a.py', 'b.py']")


def test_a_dict_does_not_replace_another_value_of_a_base(tmp_path: Path) -> None:
    """Mmengine ends with a TypeError here."""
    (tmp_path / "base.py").write_text("model = dict(net=3)\n")
    with pytest.raises(ConfigError, match=r"model\.net is a dict, but 3 in a base; .* _delete_"):
        load_text(tmp_path, "_base_ = 'base.py'\nmodel = dict(net=dict(a=1))")
    cfg = load_text(tmp_path, "_base_ = 'base.py'\nmodel = dict(net=dict(_delete_=True, a=1))")
    assert cfg.model.net == {"a": 1}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=9**9**9", "so a number is expected"),
        ("seed=" + "9" * 50, "more than 64 bits"),
        ("model.x=" + "[" * 60 + "]" * 60, "deeper than 50 levels"),
        ("model.x=" + "[" * 4000 + "]" * 4000, "nested"),
        ("model.x=" + "1," * 6000, "at most 10,000 characters"),
        ("+model" + ".a" * 40 + "=1", "25 dots"),
        ("model.x={1, 2}", "set is not a plain value"),
        ("model.x=[open('a')]", "call is not a plain value"),
        ("custom_hooks.--1=3", "custom_hooks is a list of 1 items"),
        ("custom_hooks.\u00b2=3", "custom_hooks is a list of 1 items"),
        ("custom_hooks=3", "custom_hooks: expected list, got int: 3"),
    ],
    ids=lambda text: text[:40],
)
def test_an_override_has_the_bounds_of_a_config(
    tmp_path: Path, override: str, message: str
) -> None:
    """A command line could do what a file cannot."""
    path = tmp_path / "config.py"
    path.write_text("seed = 0\nmodel = dict(type='A', x=None)\ncustom_hooks = [dict(type='B')]")
    with pytest.raises(ConfigError, match=message) as caught:
        load(path, [override])
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model = 3", "model: expected dict, got int: 3"),
        ("model = dict(type=3)", "model: expected the name of a registered class as type, got 3"),
        ("model = dict(net=dict(type=[]))", r"model\.net: expected the name .* got \[\]"),
        ("model = dict(type='A', _scope_='os')", "_scope_ is not allowed"),
        ("seed = 'abc'", "seed: expected int, got str: 'abc'"),
        ("seed = True", "seed: expected int, got bool: True"),
        ("seed = 2**40", "seed: expected int <= 4294967295, not 1099511627776"),
        ("custom_hooks = 3", "custom_hooks: expected list, got int: 3"),
        ("custom_hooks = [3]", r"custom_hooks\.0: expected dict, got int: 3"),
        ("default_hooks = []", r"default_hooks: expected dict, got list: \[\]"),
        ("val_dataloader = dict(dataset=[])", r"val_dataloader\.dataset: expected dict, got list"),
        ("train_dataloader = dict(drop_last='false')", r"drop_last: expected bool, got str: 'fal"),
        ("train_dataloader = dict(num_workers=10**12)", r"num_workers: expected int <= 1024, not"),
        ("train_dataloader = dict(batch_size=2.5)", r"batch_size: expected int, got float: 2\.5"),
        ("optim_wrapper = dict(clip_grad=dict(max_norm=0))", r"max_norm: expected float > 0\.0"),
        ("optim_wrapper = dict(clip_grad=dict(max_norm=-0.5))", r"max_norm: expected .* not -0\.5"),
        ("optim_wrapper = dict(clip_grad=3)", r"clip_grad: expected .*dict.*, got int: 3"),
        ("env_cfg = dict(resource_limit='x')", r"env_cfg\.resource_limit: expected int, got str"),
        ("launcher = 'ssh'", "launcher: expected 'none' or 'pytorch' or 'slurm', not 'ssh'"),
        ("custom_imports = dict(imports=[3])", "custom_imports is written"),
        ("custom_imports = 3", "custom_imports is written"),
    ],
)
def test_a_block_of_another_kind_is_named(tmp_path: Path, text: str, message: str) -> None:
    """A user would get a traceback of mmengine, or a run with another setting."""
    with pytest.raises(ConfigError, match=message):
        load_text(tmp_path, text)
