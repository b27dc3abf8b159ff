"""Mutated recipes: each is accepted or refused in a sentence, in bounded time, without code run."""

import contextlib
import io
import random
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from openstl_ext.config import load
from openstl_ext.engine.defaults import complete
from openstl_ext.engine.runner import build
from openstl_ext.engine.validate import validate
from openstl_ext.errors import UserError
from tests.faults.row import Row
from tests.small_recipe import shrink

RECIPES = (
    "boiling/simvp_gsta_small",
    "taxibj/small/convlstm",
    "moving_mnist/small/vmrnn_d",
    "human_modification/small/quantile_convlstm",
    "lts/small/st_mamba",
    "lts/small/pixel_logistic",
)
SECONDS = 60
"""Limit of one mutation on a busy machine; each takes some milliseconds, and a build a second."""
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 3, 10**12, -(10**12), 2**63, 0.5, -0.5, 1.5, 1e-300, 1e300),
    *("", "abc", "false", "none", "3", "1e-3", "/", "../..", "a" * 5000, "\u00e4\u65e5", "a\nb"),
    *([], [1], ["a"], [[]], [None], [1, "a", {}], (), (1,), (0.5, 1.5)),
    *({}, {"a": 1}, {"type": 3}, {"type": "os.system"}, {"type": None}, {"type": "Nothing"}),
    *({"type": "L2"}, [{"type": "L2"}], {"type": "Persistence", "x": 1}, {"_delete_": True}),
    *({"type": "L1", "_scope_": "os"}, {"type": "mmengine.EMAHook"}, {"type": "subprocess.Popen"}),
)
EXPRESSIONS = (
    *("9**9**9", "10**10**10", "'a' * 10**10", "[0] * 10**9", "(0,) * -1", "2**64", "1 << 10**9"),
    *("0x" + "f" * 9000, "9" * 5000, "-" * 3000 + "1", "+".join(["1"] * 5000), "1/0", "1 % 0"),
    *("(" * 150 + ")" * 150, "[" * 60 + "]" * 60, "[" * 3000 + "]" * 3000, "{{ fileDirname }}"),
    *("{{$HOME:}}", "'{{$HOME:x}}'", "{{_base_.seed}}", "_base_", "_base_.nothing", "_base_.a.b"),
    *("open('EXECUTED', 'w')", "__import__('os').system('touch EXECUTED')", "lambda: 1", "f'{1}'"),
    *("(1).__class__", "[i for i in range(9)]", "dict(a=1, **dict(a=2))", "dict(1, 2)", "{**3}"),
    *("[*3]", "{1, 2}", "b'a'", "1j", "...", "'%1000000000d' % 1", "x := 3", "1 if 2 else 3"),
    *("1 < 2", "not 1", "~1", "nothing", "None.x", "seed.x", "[1][2]", "[1]['a']", "'a'[::0]"),
    *("dict(type='os.system', command='touch EXECUTED')", "exec('1')", "print", "await x", "1e999"),
)
STATEMENTS = (
    *("import os", "from os import *", "def f(): pass", "class A: pass", "del seed", "seed += 1"),
    *("for i in range(10**9): pass", "while True: pass", "with open('EXECUTED', 'w'): pass"),
    *("_base_ = 'mutated.py'", "_base_ = ['mutated.py']", "_base_ = 3", "_base_ = [3]"),
    *(
        "_base_ = 'nowhere.py'",
        "_base_ = ''",
        "_base_ = '/'",
        "_base_ = 'a' * 300",
        "_base_ = '\\0'",
    ),
    *("a = b = c = 1", "a, b = 1", "a, b = 1, 2", "a.b = 1", "a[0] = 1", "seed: int = 3", "3", "a"),
    *("try:\n    1\nexcept: 1", "assert False", "raise SystemExit", "exit()", "global a", "\t x"),
    *("custom_imports = 3", "custom_imports = dict(imports=[3])", "modle = 3", "custom_hooks = 3"),
    *("custom_imports = dict(imports=['nothing'])", "custom_imports = dict(imports='..x')"),
    *("model = 3", "model = dict(type=3)", "model = None", "default_hooks = dict(result=None)"),
    *("default_hooks = dict(_delete_=True, logger=3)", "optim_wrapper = dict(clip_grad=3)"),
    *("\n".join(["a = [1]", *["a = [a, a]"] * 40]), "\n".join(["a = 'x'", *["a = a + a"] * 40])),
    *(
        "\n".join(["a = 1", *["a = [a]"] * 3000]),
        "x = 3  # \u00e4\u65e5",
        "x = '\ud800'",
        "x = '\\x00'",
    ),
)


class TooLongError(BaseException):
    """A mutation took too long; not an Exception, which a constructor's caller reports."""


class Mutation(NamedTuple):
    """A config with one mistake or more.

    Fields:
        description: What was changed.
        text: Text of the config file.
        overrides: Entries of ``--cfg-options``.
    """

    description: str
    text: str
    overrides: tuple[str, ...] = ()


def mutations(seed: int, recipes: Sequence[str] = RECIPES) -> Iterator[Mutation]:
    """Yield mutated recipes without end: first each hostile text once, then random changes."""
    draw = random.Random(seed)
    bases = {name: _values_of(name) for name in recipes}
    for recipe, statement in zip(_cycle(recipes, draw), STATEMENTS, strict=False):
        yield Mutation(f"{recipe}: {statement[:60]!r}", f"{_text(bases[recipe])}\n{statement}\n")
    for recipe, expression in zip(_cycle(recipes, draw), EXPRESSIONS, strict=False):
        name = draw.choice(("seed", "model", "custom_hooks", "x"))
        text = f"{_text(bases[recipe])}\n{name} = {expression}\n"
        yield Mutation(f"{recipe}: {name} = {expression[:60]}", text)
        yield Mutation(
            f"{recipe}: --cfg-options {name}={expression[:60]}",
            _text(bases[recipe]),
            (f"{draw.choice(('', '+'))}{name}={expression}",),
        )
    while True:
        recipe = draw.choice(recipes)
        values = _copied(bases[recipe])
        kinds = [draw.choice(CHANGES) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
        changes = [kind(values, draw) for kind in kinds]
        description = f"{recipe}: " + "; ".join(changes)
        place, value = _place(values, draw), draw.choice(VALUES)
        if draw.random() < 0.2:
            key = draw.choice(("", "", "+")) + ".".join(map(str, place))
            yield Mutation(
                f"{description}; {key}={value!r}"[:300], _text(values), (f"{key}={value}",)
            )
        else:
            yield Mutation(description[:300], _text(values))


def load_and_validate(mutation: Mutation, folder: Path, *, builds: bool = False) -> str | None:
    """Load a mutated config as a command does.

    Args:
        mutation: The config.
        folder: Where its file is written.
        builds: Whether to build the run, if the config is valid.

    Returns:
        The message that refuses it, or None if it is accepted.

    Raises:
        AssertionError: If it ends in another error than one for users, runs code, or takes too
            long.
    """
    path = folder / "mutated.py"
    path.write_bytes(mutation.text.encode("utf-8", "surrogatepass"))
    with _limit(SECONDS), _no_code() as events, contextlib.redirect_stderr(io.StringIO()):
        try:
            cfg = load(path, mutation.overrides, work_dir=folder / "run")
            validate(complete(cfg))
            if builds:
                build(cfg).visualizer.close()
            message = None
        except (UserError, OSError) as error:
            message = str(error) or "empty"
        except (Exception, TooLongError) as error:
            raise AssertionError(f"{mutation.description}\n{traceback.format_exc()}") from error
    assert not events, f"{mutation.description}: ran {events}"
    assert not Path("EXECUTED").exists(), f"{mutation.description}: ran code"
    assert message is None or len(message) < 5000, f"{mutation.description}: {message[:300]}"
    return message


def rows() -> Iterator[Row]:
    """Check 1,000 mutations, and build those that are accepted."""
    refused = lost = 0
    source = mutations(seed=0)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(1000):
            mutation = next(source)
            try:
                refused += load_and_validate(mutation, Path(folder), builds=True) is not None
            except AssertionError as error:
                lost += 1
                print(f"lost: {error}", file=sys.stderr)
    note = f"{refused} refused in a sentence, {1000 - refused - lost} valid and built"
    yield Row("mutated configs", 1000, 1000 - lost, 0, lost, note)


def _replace(values: dict[str, Any], draw: random.Random) -> str:
    place, value = _place(values, draw), draw.choice(VALUES)
    inside = _inside(values, place[:-1])
    inside[place[-1]] = _copied(value)
    return f"{'.'.join(map(str, place))} = {value!r}"


def _remove(values: dict[str, Any], draw: random.Random) -> str:
    place = _place(values, draw)
    del _inside(values, place[:-1])[place[-1]]
    return f"without {'.'.join(map(str, place))}"


def _rename(values: dict[str, Any], draw: random.Random) -> str:
    place = _place(values, draw)
    inside = _inside(values, place[:-1])
    if isinstance(inside, list):
        return _replace(values, draw)
    new = f"{place[-1]}{draw.choice(('', 's', '_', '.x', ' '))}"[draw.choice((0, 0, 1)) :]
    inside[new] = inside.pop(place[-1])
    return f"{'.'.join(map(str, place))} is called {new!r}"


def _scale(values: dict[str, Any], draw: random.Random) -> str:
    numbers = [p for p in _places(values) if type(_inside(values, p)) in (int, float)]
    place = draw.choice(numbers)
    inside = _inside(values, place[:-1])
    inside[place[-1]] = inside[place[-1]] * draw.choice((-1, 0, 0.5, 1.5, 1000))
    return f"{'.'.join(map(str, place))} = {inside[place[-1]]!r}"


def _wrap(values: dict[str, Any], draw: random.Random) -> str:
    place = _place(values, draw)
    inside = _inside(values, place[:-1])
    how = draw.choice(("list", "dict", "deep"))
    inner = inside[place[-1]]
    if how == "deep":
        for _ in range(draw.choice((5, 60))):
            inner = [inner]
    inside[place[-1]] = {"type": inner} if how == "dict" else [inner]
    return f"{'.'.join(map(str, place))} is inside a {how}"


def _swap(values: dict[str, Any], draw: random.Random) -> str:
    first, second = _place(values, draw), _place(values, draw)
    taken = _copied(_inside(values, second))
    _inside(values, first[:-1])[first[-1]] = taken
    return f"{'.'.join(map(str, first))} is that of {'.'.join(map(str, second))}"


def _add(values: dict[str, Any], draw: random.Random) -> str:
    blocks = [p for p in _places(values) if isinstance(_inside(values, p), dict)]
    place, value = draw.choice(blocks), draw.choice(VALUES)
    names = (
        "type",
        "drop_path",
        "num_workers",
        "lr",
        "interval",
        "priority",
        "_scope_",
        "end",
        "x",
    )
    name = draw.choice(names)
    _inside(values, place)[name] = _copied(value)
    return f"{'.'.join(map(str, place))}.{name} = {value!r}"


CHANGES: tuple[Callable[[dict[str, Any], random.Random], str], ...] = (
    *(_replace, _replace, _replace, _remove, _rename, _scale, _scale, _wrap, _swap, _add),
)


def _values_of(recipe: str) -> dict[str, Any]:
    """Return a small version of a recipe as plain values."""
    values = shrink(load(recipe)).to_dict()
    for key in ("identity", "overrides", "work_dir", "default_scope"):
        values.pop(key)
    return _copied(values)


def _text(values: dict[str, Any]) -> str:
    return "".join(
        f"{name} = {value!r}\n" for name, value in values.items() if str(name).isidentifier()
    )


def _places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the keys that lead to each value inside dicts and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*above, key)
        if isinstance(inner, dict | list):
            yield from _places(inner, (*above, key))


def _place(values: dict[str, Any], draw: random.Random) -> tuple[Any, ...]:
    return draw.choice(list(_places(values)))


def _inside(values: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        values = values[key]
    return values


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return type(value)(map(_copied, value)) if isinstance(value, list | tuple) else value


def _cycle(names: Sequence[str], draw: random.Random) -> Iterator[str]:
    while True:
        yield draw.choice(names)


@contextlib.contextmanager
def _limit(seconds: int) -> Iterator[None]:
    """Raise if the block takes longer."""

    def end(number: int, frame: FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


_events: list[str] | None = None


def _watch(event: str, args: tuple[Any, ...]) -> None:
    """Note what only code of a config would do; Python calls this at each such event."""
    if _events is None:
        return
    from_config = event == "exec" and "mutated.py" in str(getattr(args[0], "co_filename", ""))
    if from_config or event in ("os.system", "subprocess.Popen", "os.exec", "socket.connect"):
        _events.append(f"{event} {args}"[:200])


@contextlib.contextmanager
def _no_code() -> Iterator[list[str]]:
    """Collect the events of code that is run."""
    global _events
    if _watch not in _installed:
        sys.addaudithook(_watch)
        _installed.append(_watch)
    _events = []
    try:
        yield _events
    finally:
        _events = None


_installed: list[Callable[..., None]] = []
