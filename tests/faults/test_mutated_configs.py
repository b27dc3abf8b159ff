"""A share of the mutated configs; `python -m tests.faults mutated_configs` checks all."""

import itertools
from pathlib import Path

import pytest

from tests.faults.mutated_configs import Mutation, load_and_validate, mutations

RECIPES = ("boiling/simvp_gsta_small", "taxibj/small/convlstm", "lts/small/pixel_logistic")


def test_mutated_configs_are_accepted_or_refused_in_a_sentence(tmp_path: Path) -> None:
    """A config could run code, hang, or end in a traceback."""
    refused = [
        load_and_validate(mutation, tmp_path) is not None
        for mutation in itertools.islice(mutations(1, RECIPES), 0, 450, 3)
    ]
    assert 100 < sum(refused) < len(refused)


@pytest.mark.parametrize("name", ["modle", "seed"])
def test_the_check_notices_a_traceback(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every mutation would pass."""

    def fail(*_: object, **__: object) -> None:
        raise KeyError(name)

    monkeypatch.setattr("tests.faults.mutated_configs.load", fail)
    with pytest.raises(AssertionError, match=name):
        load_and_validate(Mutation("any", "seed = 0"), tmp_path)
