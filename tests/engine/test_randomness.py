"""Random numbers are a function of the place in the run."""

import random

import numpy as np
import torch

from openstl_ext.engine.randomness import sample_seed, seed_everything


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_the_same_place_gives_equal_numbers_from_all_three_generators() -> None:
    """A resumed run would have other augmentations."""
    seed_everything(1, "item", 2, 3)
    first = draws()
    draws()
    seed_everything(1, "item", 2, 3)
    assert draws() == first


def test_similar_places_give_different_numbers() -> None:
    """Seeds, epochs and ranks would share random numbers, as with seed + rank + epoch."""
    places = [(1, "item", 2, 3), (1, "step", 2, 3), (2, "item", 1, 3), (1, "item", 3, 2)]
    seen = set()
    for place in places:
        seed_everything(*place)
        seen.update(draws())
    assert len(seen) == 3 * len(places)


def test_the_seed_of_a_sample_is_a_function_of_run_and_index() -> None:
    """Published ensembles could not be repeated; the numbers are fixed."""
    assert [sample_seed(0, 0), sample_seed(1, 2)] == [6924809134325503167, 6446682812922800446]
    seeds = {sample_seed(run, index) for run in range(30) for index in range(30)}
    assert len(seeds) == 900
    assert 0 <= min(seeds) < max(seeds) < 2**63
