"""Batches from any place of an epoch, and the randomness of items."""

import pickle

import pytest
import torch
from mmengine.dataset import DefaultSampler

from openstl_ext.engine.evaluation import padded
from openstl_ext.engine.loops import Seeded, SeekableBatches
from openstl_ext.engine.randomness import sample_seed
from openstl_ext.errors import CheckpointError
from tests.engine import toy


def batches(drop_last: bool = False) -> SeekableBatches:
    sampler = DefaultSampler(list(range(10)), shuffle=True, seed=1)
    return SeekableBatches(sampler=sampler, batch_size=4, drop_last=drop_last)


def test_an_epoch_can_start_and_end_at_any_batch() -> None:
    """A resumed run would train on some samples twice and on others never."""
    whole, late = batches(), batches()
    whole.epoch = late.epoch = 5
    late.first = 1
    assert list(late) == list(whole)[1:]
    late.first = 3
    assert list(late) == []
    late.first, late.end = 1, 2
    assert list(late) == list(whole)[1:2]
    assert {epoch for batch in whole for epoch, _ in batch} == {5}


def epoch_of(num_samples: int, *, began: int, ranks: int, drop_last: bool = False) -> list[list]:
    """Return the indices of each iteration, in order, of ranks that continue a run."""
    size, iterations = 12 // began, []
    for rank in range(ranks):
        sampler = DefaultSampler(list(range(num_samples)), shuffle=True, seed=1)
        loader = SeekableBatches(sampler=sampler, batch_size=size, drop_last=drop_last)
        loader.divide(began, rank=rank, world_size=ranks)
        shares = list(loader)
        count = len(loader.shares)
        assert len(shares) == count * len(loader)
        for number in range(len(loader)):
            of_rank = [index for batch in shares[number * count :][:count] for _, index in batch]
            iterations.append((number, of_rank))
    return [
        sorted(index for at, indices in iterations if at == number for index in indices)
        for number in range(len(iterations) // ranks)
    ]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("began", [1, 2, 3, 4])
def test_each_iteration_has_the_same_samples_with_any_number_of_ranks(
    began: int, drop_last: bool
) -> None:
    """A resumed run would train on some samples twice and on others never."""
    before = epoch_of(55, began=began, ranks=began, drop_last=drop_last)
    for ranks in (1, 2, 3, 4, 6):
        after = epoch_of(55, began=began, ranks=ranks, drop_last=drop_last)
        assert len(after) == len(before)
        assert after[:-1] == before[:-1]
        repeated = len(after[-1]) - len(before[-1])
        assert 0 <= repeated < ranks  # the last batch is filled up where it cannot be divided
        assert set(before[-1]) <= set(after[-1])
        if began % ranks == 0 or drop_last:
            assert repeated == 0


def test_ranks_that_take_several_shares_take_those_of_the_first_ranks() -> None:
    """Each share would have other random numbers and other batch statistics than before."""
    of_four = []
    for rank in range(4):
        sampler = DefaultSampler(list(range(22)), shuffle=True, seed=1)
        sampler.rank, sampler.world_size = rank, 4
        of_four.append(list(SeekableBatches(sampler=sampler, batch_size=3, drop_last=False)))
    sampler = DefaultSampler(list(range(22)), shuffle=True, seed=1)
    loader = SeekableBatches(sampler=sampler, batch_size=3, drop_last=False)
    loader.divide(4, rank=1, world_size=2)
    assert loader.shares == [2, 3]
    together = list(loader)
    assert together[::2] == of_four[2]
    assert together[1::2] == of_four[3]


def test_samples_that_cannot_be_divided_are_refused() -> None:
    """The batch size would change in the middle of a run."""
    with pytest.raises(CheckpointError, match="12 samples of an iteration cannot be divided among"):
        epoch_of(55, began=2, ranks=5)


def test_each_epoch_has_its_own_order_and_every_sample() -> None:
    """The training would be worse with one order for all epochs, or miss samples."""
    loader = batches()
    orders = []
    for epoch in (0, 1):
        loader.epoch = epoch
        orders.append([index for batch in loader for _, index in batch])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(10))


def test_an_incomplete_last_batch_is_kept_or_dropped_as_configured() -> None:
    """Schedules would end at another iteration than the training."""
    for drop_last, sizes in ((False, [4, 4, 2]), (True, [4, 4])):
        loader = batches(drop_last)
        assert [len(batch) for batch in loader] == sizes
        assert len(loader) == len(sizes)


def test_an_item_depends_on_epoch_and_index_alone() -> None:
    """The number of workers, or a resume, would change the augmentation."""
    dataset = Seeded(dataset=toy.ToyWaves(), seed=1)
    first = dataset[(2, 3)]["inputs"]["frames"]
    assert not torch.equal(dataset[(3, 3)]["inputs"]["frames"], first)
    torch.rand(5)
    assert torch.equal(dataset[(2, 3)]["inputs"]["frames"], first)
    copy = pickle.loads(pickle.dumps(dataset))  # as in a worker that is spawned
    assert torch.equal(copy[(2, 3)]["inputs"]["frames"], first)
    assert copy.metainfo.name == "toy_waves"


def test_only_a_sample_of_an_evaluation_has_a_seed() -> None:
    """Members of an ensemble would depend on the batch, or training would repeat its noise."""
    dataset = Seeded(dataset=toy.ToyWaves(), seed=1)
    assert "seed" not in dataset[(0, 3)]["inputs"]
    seed = dataset[3]["inputs"]["seed"]
    assert (seed.dtype, seed.shape, int(seed)) == (torch.int64, (), sample_seed(1, 3))
    assert torch.equal(dataset[3]["inputs"]["frames"], dataset[(0, 3)]["inputs"]["frames"])


def test_an_incomplete_batch_is_padded_with_its_last_sample() -> None:
    """The forecast of a sample would depend on the number of ranks."""
    batch = {"inputs": {"frames": torch.arange(4.0).view(2, 2)}, "data_samples": {}}
    filled = padded(batch, 4)
    assert filled["inputs"]["frames"].tolist() == [[0, 1], [2, 3], [2, 3], [2, 3]]
    assert filled["data_samples"] == {}
