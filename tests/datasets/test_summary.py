"""Tests of numbers and facts of datasets."""

import numpy as np
import pytest

from openstl_ext.datasets.base import SequenceDataset
from openstl_ext.datasets.card import headline, section
from openstl_ext.datasets.summary import ValueTally, spread_indices
from openstl_ext.registry import DATASETS
from tests.datasets.test_contract import NAMES


def test_ranges_count_known_values_only() -> None:
    """A missing value would change mean and minimum."""
    tally = ValueTally()
    tally.add("a", "K", np.array([1.0, np.nan, 3.0], np.float32))
    tally.add("a", "K", np.array([5.0], np.float32))
    tally.add("b", "K", np.array([np.nan], np.float32))
    a, b = tally.ranges
    assert (a.low, a.high, a.mean, a.missing) == (1, 5, 3, 0.25)
    assert a.std == pytest.approx((8 / 3) ** 0.5)
    assert (b.low, b.mean, b.missing) == (None, None, 1)


def test_shares_of_classes_sum_to_one() -> None:
    """A pixel without a label would be counted as a class."""
    tally = ValueTally()
    valid = np.array([[True, True], [True, False]])
    tally.add_labels(np.array([[0, 2], [2, 0]]), valid)
    shares = tally.shares(("water", "forest", "town"))
    assert shares == {"water": 0.25, "forest": 0, "town": 0.5, "without a label": 0.25}


def test_indices_reach_from_the_first_to_the_last() -> None:
    """The end of a set in time order would never be looked at."""
    assert spread_indices(101, 3) == [0, 50, 100]
    assert spread_indices(2, 5) == [0, 1]
    assert spread_indices(0, None) == []


def test_a_section_ends_at_the_next() -> None:
    """The licence would contain the arguments."""

    class Set:
        """A set.

        Licence:
            CC BY 4.0, as
            ``published``.

            - an item
              of two lines

        Args:
            root: Folder.
        """

    assert section(Set, "Licence") == "CC BY 4.0, as published.\n- an item of two lines"
    assert section(Set, "Args") == "root: Folder."
    assert section(Set, "Splits") == ""
    assert headline(Set) == "A set."


@pytest.mark.parametrize("name", NAMES)
def test_a_dataset_states_its_files_and_its_licence(name: str) -> None:
    """``data info`` would have nothing to say about it."""
    cls = DATASETS.get(name)
    assert issubclass(cls, SequenceDataset)
    assert cls.card.marks
    assert cls.card.is_own or section(cls, "Licence")
