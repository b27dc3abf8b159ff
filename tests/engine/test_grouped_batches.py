"""Training batches of a dataset that declares groups."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.dataset import DefaultSampler
from torch.utils.data import Dataset, SequentialSampler

from openstl_ext.engine.loops import SeekableBatches
from openstl_ext.errors import ConfigError

SIZES = {"optical": 23, "radar": 9, "rare": 2}


class Grouped(Dataset):
    """Samples of a few groups, one group after the other."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.groups = [group for group, size in sizes.items() for _ in range(size)]

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, index: int) -> int:
        return index


def loader(
    sizes: dict[str, int],
    *,
    batch_size: int = 4,
    began: int = 1,
    rank: int = 0,
    ranks: int = 1,
    drop_last: bool = False,
    epoch: int = 0,
    round_up: bool = True,
) -> SeekableBatches:
    sampler = DefaultSampler(Grouped(sizes), shuffle=True, seed=1, round_up=round_up)
    batches = SeekableBatches(sampler=sampler, batch_size=batch_size, drop_last=drop_last)
    batches.divide(began, rank=rank, world_size=ranks)
    batches.epoch = epoch
    return batches


def indices(batches: SeekableBatches) -> list[list[int]]:
    return [[index for _, index in batch] for batch in batches]


def chained(lists: Iterable[list[int]]) -> list[int]:
    return list(chain.from_iterable(lists))


def iterations(sizes: dict[str, int], *, began: int, ranks: int, **options: int) -> list[list[int]]:
    """Return the sorted indices of each iteration of all ranks together."""
    of_ranks = []
    for rank in range(ranks):
        batches = loader(sizes, began=began, rank=rank, ranks=ranks, **options)
        shares, count = indices(batches), len(batches.shares)
        assert len(shares) == count * len(batches)
        of_ranks.append([chained(shares[i * count :][:count]) for i in range(len(batches))])
    assert len({len(of_rank) for of_rank in of_ranks}) == 1
    return [sorted(chained(parts)) for parts in zip(*of_ranks, strict=True)]


GROUPS = st.lists(st.integers(1, 20), min_size=1, max_size=4).map(
    lambda sizes: {f"group {i}": size for i, size in enumerate(sizes)}
)


@settings(max_examples=40, deadline=None)
@given(sizes=GROUPS, batch_size=st.integers(1, 5), began=st.integers(1, 4), epoch=st.integers(0, 3))
def test_a_batch_has_one_group_and_an_epoch_every_sample(
    sizes: dict[str, int], batch_size: int, began: int, epoch: int
) -> None:
    """A batch could not be stacked, or some samples would never be seen."""
    groups = Grouped(sizes).groups
    found = iterations(sizes, began=began, ranks=began, batch_size=batch_size, epoch=epoch)
    per_iteration = batch_size * began
    assert len(found) == sum(-(-size // per_iteration) for size in sizes.values())
    counts = Counter(index for batch in found for index in batch)
    assert set(counts) == set(range(len(groups)))
    for batch in found:
        assert len(batch) == per_iteration
        assert len({groups[index] for index in batch}) == 1
    for group, size in sizes.items():  # only an incomplete batch is filled
        times = [counts[index] for index, other in enumerate(groups) if other == group]
        assert sum(times) == -(-size // per_iteration) * per_iteration
        assert max(times) - min(times) <= 1


@pytest.mark.parametrize("began", [1, 2, 3, 4])
def test_each_iteration_has_the_same_samples_with_any_number_of_ranks(began: int) -> None:
    """A run resumed with another number of ranks would repeat samples and omit others."""
    before = iterations(SIZES, began=began, ranks=began, batch_size=12 // began, epoch=2)
    for ranks in (1, 2, 3, 4, 6):
        after = iterations(SIZES, began=began, ranks=ranks, batch_size=12 // began, epoch=2)
        assert after == before


def test_samples_that_the_sampler_repeats_change_no_batch() -> None:
    """Epochs would differ in length, so a place in the run would be another one."""
    for epoch in range(4):
        padded, plain = (
            loader(SIZES, began=4, batch_size=1, epoch=epoch, round_up=round_up)
            for round_up in (True, False)
        )
        assert indices(padded) == indices(plain)
        assert len(padded) == 6 + 3 + 1


def test_an_epoch_can_start_and_end_at_any_batch() -> None:
    """A resumed run would train on other samples than an uninterrupted one."""
    whole = indices(loader(SIZES, epoch=5))
    for first in range(len(whole) + 1):
        for end in (None, first, min(first + 2, len(whole))):
            late = loader(SIZES, epoch=5)
            late.first, late.end = first, end
            assert indices(late) == whole[first:end]
    assert [index for _, index in loader(SIZES).tickets(5, 3)] == whole[3]


def test_the_groups_alternate_in_an_order_of_each_epoch() -> None:
    """The net would forget one pair of sensors while it trains on another."""
    sizes = {"a": 400, "b": 200}
    orders = []
    for epoch in (0, 1):
        orders.append([batch[0] >= 400 for batch in indices(loader(sizes, epoch=epoch))])
        assert sum(orders[-1][:75]) == pytest.approx(25, abs=6)
    assert orders[0] != orders[1]


def test_incomplete_batches_are_dropped_as_configured() -> None:
    """Schedules would end at another iteration than the training."""
    sizes = {"optical": 23, "radar": 9}
    batches = loader(sizes, drop_last=True)
    found = indices(batches)
    assert len(found) == len(batches) == 5 + 2
    assert len({index for batch in found for index in batch}) == 28
    with pytest.raises(ConfigError, match=r"'rare' has 2 samples, fewer than the 4 .* drop_last"):
        len(loader(SIZES, drop_last=True))


def test_mistakes_of_a_dataset_or_a_config_are_named() -> None:
    """Batches would mix groups without a message."""
    sampler = SequentialSampler(Grouped(SIZES))
    with pytest.raises(ConfigError, match=r"SequentialSampler does not divide .*DefaultSampler"):
        SeekableBatches(sampler=sampler, batch_size=4, drop_last=False)
    sampler = DefaultSampler(Longer(SIZES), seed=1)
    with pytest.raises(ConfigError, match="has 35 samples, but groups has 34 entries"):
        SeekableBatches(sampler=sampler, batch_size=4, drop_last=False)


class Longer(Grouped):
    """Has one sample more than groups."""

    def __len__(self) -> int:
        return len(self.groups) + 1
