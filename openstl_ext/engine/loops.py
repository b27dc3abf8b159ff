"""Loops in which batch and chance depend on the place in the run alone."""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dataset import DefaultSampler
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import Dataset, Sampler

from openstl_ext.engine.ddp_warmup import warm_up_ddp
from openstl_ext.engine.randomness import ITEM, STEP, sample_seed, seed_everything
from openstl_ext.errors import ConfigError
from openstl_ext.registry import DATASETS, LOOPS

Ticket = tuple[int, int]
"""Epoch and index of an item."""


class Seeded(Dataset):
    """Make each item's chance a function of (seed, epoch, index), whichever worker draws it.

    Everything else is the dataset's own: its length, its metainfo, its sample ids.

    Args:
        dataset: Config of the dataset, or the dataset.
        seed: Seed of the run.

    Raises:
        ConfigError: If the dataset declares no metainfo.
    """

    def __init__(self, *, dataset: Any, seed: int) -> None:
        self.dataset = DATASETS.build(dataset)
        if getattr(self.dataset, "metainfo", None) is None:
            raise ConfigError(
                f"{type(self.dataset).__name__} declares no metainfo; add a class attribute, as in "
                'metainfo = Metainfo(name="tides", channels=...)'
            )
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, ticket: int | Ticket) -> Any:
        """Return the item of a ticket.

        A bare index, as in evaluation, is of epoch 0; its inputs get the ``seed`` from which a
        stochastic method draws the noise of this sample.
        """
        epoch, index = ticket if isinstance(ticket, tuple) else (0, ticket)
        seed_everything(self.seed, ITEM, epoch, index)
        item = self.dataset[index]
        if isinstance(ticket, tuple):
            return item
        seed = torch.tensor(sample_seed(self.seed, index))
        return {**item, "inputs": {**item["inputs"], "seed": seed}}

    def __getattr__(self, name: str) -> Any:
        if name == "dataset" or name.startswith("__"):  # asked for while unpickling in a worker
            raise AttributeError(name)
        return getattr(self.dataset, name)


class SeekableBatches(Sampler):
    """Batches of tickets, from any batch of any epoch on, without loading those before.

    Args:
        sampler: Order of the indices in an epoch, for this rank.
        batch_size: Samples a batch and rank.
        drop_last: Whether a last batch that is short is left out.
    """

    def __init__(self, *, sampler: DefaultSampler, batch_size: int, drop_last: bool) -> None:
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last
        self.epoch = self.first = 0

    def __len__(self) -> int:
        size = len(self.sampler)
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)

    def __iter__(self) -> Iterator[list[Ticket]]:
        self.sampler.set_epoch(self.epoch)
        tickets = [(self.epoch, index) for index in self.sampler]
        for batch in range(self.first, len(self)):
            yield tickets[batch * self.batch_size :][: self.batch_size]


@LOOPS.register_module()
class ExactTrainLoop(EpochBasedTrainLoop):
    """mmengine's epochs, which can be entered at any iteration.

    A run that was killed and goes on is, bit for bit, the run that was never stopped: with any
    number of workers, and in the middle of an epoch too.

    Args:
        runner: The run.
        dataloader: Config of the loader.
        max_epochs: Number of epochs.
        val_begin: First epoch, counted from 1, that is validated.
        val_interval: Epochs between validations.

    Raises:
        ConfigError: If an epoch has no batch.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        max_epochs: int,
        val_begin: int = 1,
        val_interval: int = 1,
    ) -> None:
        loader = dict(dataloader)
        drop_last = loader.pop("drop_last", False)
        self.batch_size = loader["batch_size"]
        loader["dataset"] = {"type": Seeded, "dataset": loader["dataset"], "seed": runner.seed}
        loader["batch_sampler"] = {"type": SeekableBatches, "drop_last": drop_last}
        super().__init__(runner, loader, max_epochs, val_begin, val_interval)
        if len(self.dataloader) == 0:
            raise ConfigError(
                f"an epoch has no batch: the training set has {len(self.dataloader.dataset)} "
                f"samples, batch_size is {self.batch_size} and drop_last is {drop_last}"
            )

    def seek(self, *, epoch: int, iteration: int) -> None:
        """Go on after ``iteration`` iterations, the last of which was in ``epoch``."""
        self._epoch, self._iter = epoch, iteration

    def run(self) -> nn.Module:
        """Train to the end, from wherever the loop stands."""
        warm_up_ddp(self.runner)
        return super().run()

    def run_epoch(self) -> None:
        """Run what is left of an epoch; nothing may be left but its end and its validation."""
        runner, batches = self.runner, self.dataloader.batch_sampler
        runner.call_hook("before_train_epoch")
        runner.model.train()
        batches.epoch, batches.first = self._epoch, self._iter - self._epoch * len(batches)
        for index, batch in enumerate(self.dataloader, start=batches.first):
            seed_everything(runner.seed, STEP, runner.rank, self._iter)
            self.run_iter(index, batch)
        runner.call_hook("after_train_epoch")
        self._epoch += 1
