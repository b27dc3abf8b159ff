"""Batches from any place of an epoch, and the randomness of items."""

import pickle

import torch
from mmengine.dataset import DefaultSampler

from openstl_ext.engine.evaluation import padded
from openstl_ext.engine.loops import Seeded, SeekableBatches
from openstl_ext.engine.randomness import sample_seed
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
