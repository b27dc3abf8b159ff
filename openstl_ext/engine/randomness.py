"""Seeds computed from the place in the run: the only seeding in the project."""

import hashlib
import random

import numpy as np
import torch

ITEM, STEP, EVALUATION, WEIGHTS = "item", "step", "evaluation", "weights"
"""Purposes of a place, so that an item and a step with equal numbers have different seeds."""


def seed_everything(*place: int | str) -> None:
    """Seed Python, numpy and torch from a place in the run, such as (seed, rank, iteration).

    No random state is saved in a checkpoint: a worker, a rank or a resumed run draws the same
    numbers at the same place. A call takes about ten microseconds, so it can be made for every
    sample and every step.

    Args:
        place: Numbers and words that identify the place, in a fixed order.
    """
    seed = seed_of(*place)
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)
    # not torch.manual_seed: before CUDA starts it stores a formatted stack at every call
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


def seed_of(*place: int | str) -> int:
    """Return the seed of a place in the run, below 2^64."""
    digest = hashlib.blake2b(repr(place).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def sample_seed(run_seed: int, index: int) -> int:
    """Return the seed of a sample in evaluation and prediction, an int64.

    Args:
        run_seed: Seed of the run.
        index: Index of the sample in its dataset.
    """
    return seed_of(run_seed, EVALUATION, index) >> 1
