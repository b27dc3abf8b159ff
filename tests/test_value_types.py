"""Values are compared with annotations."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Optional

import pytest
from torch import Tensor

from openstl_ext.value_types import Count, DropProb, argument_problems, type_problem


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (1, float),
        (1, int | None),
        (None, Optional[int]),  # noqa: UP045
        ([1, 2], tuple[int, int]),
        ((1, 2), list[int]),
        ((8, 16), Sequence[Count]),
        ([1, 0.5], float | Sequence[float]),
        ({"a": {"b": 1}}, Mapping[str, Mapping[str, Any]]),
        ({"type": "L2"}, Tensor),
        ({"type": "L2"}, Tensor | dict[str, Any]),
        ("a", Path | str | None),
        ("x", Callable[[int], int]),
        ([Tensor()], list[int]),
        (0.5, DropProb),
        ("a", Literal["a", "b"]),
    ],
)
def test_a_value_that_fits_is_accepted(value: object, hint: object) -> None:
    """A valid config would be refused."""
    assert type_problem(value, hint, "x") is None


@pytest.mark.parametrize(
    ("value", "hint", "message"),
    [
        ("false", bool, "x: expected bool, got str: 'false'"),
        (True, int, "x: expected int, got bool: True"),
        (1, bool, "x: expected bool, got int: 1"),
        (2.0, int, "x: expected int, got float: 2.0"),
        (1.5, DropProb, "x: expected float < 1.0, not 1.5"),
        (0, Count, "x: expected int >= 1, not 0"),
        ("abc", Sequence[str], "x: expected list, got str: 'abc'"),
        ([1], dict[str, Any], "x: expected dict, got list: [1]"),
        ([8, "a"], Sequence[Count], "x.1: expected int, got str: 'a'"),
        ([1], tuple[int, int], "x: expected list of length 2, got 1: [1]"),
        ("c", Literal["a", "b"], "x: expected 'a' or 'b', not 'c'"),
        (3, Iterable[str], "x: expected list, got int: 3"),
        ({"a": 1}, dict[str, list[int]], "x.a: expected list, got int: 1"),
    ],
)
def test_a_value_that_does_not_fit_is_named(value: object, hint: object, message: str) -> None:
    """A switch 'false' would be on, and a dropout of 1.5 would be passed to torch."""
    assert type_problem(value, hint, "x") == message


def test_arguments_are_those_of_all_constructors() -> None:
    """An argument that is passed on by ``**kwargs`` would not be checked."""

    class Parent:
        def __init__(self, size: Count = 1, name: str = None) -> None:  # noqa: RUF013
            """An optional argument whose annotation lacks None."""

    class Child(Parent):
        def __init__(self, rate: float, **kwargs: Any) -> None:
            super().__init__(**kwargs)

    assert not list(argument_problems(Child, {"rate": 1, "name": None, "size": 2}, "net"))
    problems = list(argument_problems(Child, {"rate": "a", "size": 0, "other": 3}, "net"))
    assert problems == [
        "net.rate: expected float, got str: 'a'",
        "net.size: expected int >= 1, not 0",
    ]
