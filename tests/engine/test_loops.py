"""Batches from any place of an epoch on."""

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


def test_an_epoch_entered_late_is_the_rest_of_that_epoch() -> None:
    """Else a resumed run would see some samples twice and others never."""
    whole, late = batches(), batches()
    whole.epoch = late.epoch = 5
    late.first = 1
    assert list(late) == list(whole)[1:]
    late.first = 3
    assert list(late) == []
    assert {epoch for batch in whole for epoch, _ in batch} == {5}


def test_each_epoch_has_its_own_order_and_every_sample() -> None:
    """One order for all epochs learns worse, and nobody notices."""
    loader = batches()
    orders = []
    for epoch in (0, 1):
        loader.epoch = epoch
        orders.append([index for batch in loader for _, index in batch])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(10))


def test_a_short_last_batch_is_kept_or_dropped_as_asked() -> None:
    """The length decides the schedule, so it must be what is yielded."""
    for drop_last, sizes in ((False, [4, 4, 2]), (True, [4, 4])):
        loader = batches(drop_last)
        assert [len(batch) for batch in loader] == sizes
        assert len(loader) == len(sizes)


def test_an_item_depends_on_epoch_and_index_alone() -> None:
    """Else the number of workers, or a resume, would change the augmentation."""
    dataset = Seeded(dataset=toy.ToyWaves(), seed=1)
    first = dataset[(2, 3)]["inputs"]["frames"]
    assert not torch.equal(dataset[(3, 3)]["inputs"]["frames"], first)
    torch.rand(5)
    assert torch.equal(dataset[(2, 3)]["inputs"]["frames"], first)
    copy = pickle.loads(pickle.dumps(dataset))  # as workers get it where fork is not to be had
    assert torch.equal(copy[(2, 3)]["inputs"]["frames"], first)
    assert copy.metainfo.name == "toy_waves"


def test_only_a_sample_of_an_evaluation_has_a_seed() -> None:
    """Members of an ensemble would depend on the batch, or training would repeat its noise."""
    dataset = Seeded(dataset=toy.ToyWaves(), seed=1)
    assert "seed" not in dataset[(0, 3)]["inputs"]
    seed = dataset[3]["inputs"]["seed"]
    assert (seed.dtype, seed.shape, int(seed)) == (torch.int64, (), sample_seed(1, 3))
    assert torch.equal(dataset[3]["inputs"]["frames"], dataset[(0, 3)]["inputs"]["frames"])


def test_a_short_batch_is_filled_with_its_last_sample() -> None:
    """All forecasts of a test set come from batches of one size, however they were dealt."""
    batch = {"inputs": {"frames": torch.arange(4.0).view(2, 2)}, "data_samples": {}}
    filled = padded(batch, 4)
    assert filled["inputs"]["frames"].tolist() == [[0, 1], [2, 3], [2, 3], [2, 3]]
    assert filled["data_samples"] == {}
