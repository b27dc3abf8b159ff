"""Training loop whose batches and random numbers depend on the place in the run only."""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dataset import DefaultSampler
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import Dataset, Sampler

from openstl_ext.engine.ddp_warmup import warm_up_ddp
from openstl_ext.engine.randomness import ITEM, STEP, sample_seed, seed_everything
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.frame_rules import check_item
from openstl_ext.registry import DATASETS, LOOPS

Ticket = tuple[int, int]
"""Epoch and index of an item."""


class Seeded(Dataset):
    """Make the randomness of an item a function of (seed, epoch, index), in every worker.

    All other attributes are those of the dataset: its length, its metainfo, its sample ids.

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
        try:
            check_item(item, self.dataset.metainfo)
        except DataError as error:
            named = hasattr(self.dataset, "sample_id")
            name = self.dataset.sample_id(index) if named else index
            raise DataError(f"sample {name}, {error}") from None
        if isinstance(ticket, tuple):
            return item
        seed = torch.tensor(sample_seed(self.seed, index))
        return {**item, "inputs": {**item["inputs"], "seed": seed}}

    def __getattr__(self, name: str) -> Any:
        if name == "dataset" or name.startswith("__"):  # looked up while a worker unpickles
            raise AttributeError(name)
        return getattr(self.dataset, name)


class SeekableBatches(Sampler):
    """Batches of tickets between any two batches of an epoch; earlier items are not loaded.

    Args:
        sampler: Order of the indices in an epoch, for this rank.
        batch_size: Samples per batch and rank.
        drop_last: Whether an incomplete last batch is omitted.

    Attributes:
        epoch: Epoch, from 0.
        first: First batch to yield.
        end: Batch after the last one to yield; None yields all.
    """

    def __init__(self, *, sampler: DefaultSampler, batch_size: int, drop_last: bool) -> None:
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last
        self.epoch = self.first = 0
        self.end: int | None = None

    def __len__(self) -> int:
        size = len(self.sampler)
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)

    def __iter__(self) -> Iterator[list[Ticket]]:
        self.sampler.set_epoch(self.epoch)
        tickets = [(self.epoch, index) for index in self.sampler]
        for batch in range(self.first, len(self) if self.end is None else self.end):
            yield tickets[batch * self.batch_size :][: self.batch_size]


@LOOPS.register_module()
class ExactTrainLoop(EpochBasedTrainLoop):
    """Training loop, counted in epochs or in iterations, that can start at any iteration.

    A killed and resumed run equals an uninterrupted run bit for bit, with any number of workers
    and in the middle of an epoch too. Either unit gives the same batches in the same order.

    Args:
        runner: The run.
        dataloader: Config of the loader.
        max_epochs: Number of epochs.
        max_iterations: Number of iterations, instead of epochs. Intervals and schedules then
            count iterations, and the training may end in the middle of an epoch.
        val_begin: First epoch or iteration, counted from 1, that is validated.
        val_interval: Epochs or iterations between validations; by default one epoch. The end of
            the training is always validated.

    Raises:
        ConfigError: If an epoch has no batch.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        max_epochs: int | None = None,
        max_iterations: int | None = None,
        val_begin: int = 1,
        val_interval: int | None = None,
    ) -> None:
        loader = dict(dataloader)
        drop_last = loader.pop("drop_last", False)
        self.batch_size = loader["batch_size"]
        loader["dataset"] = {"type": Seeded, "dataset": loader["dataset"], "seed": runner.seed}
        loader["batch_sampler"] = {"type": SeekableBatches, "drop_last": drop_last}
        super().__init__(runner, loader, max_epochs or 1, val_begin, val_interval or 1)
        if (length := len(self.dataloader)) == 0:
            raise ConfigError(
                f"an epoch has no batch: the training set has {len(self.dataloader.dataset)} "
                f"samples, batch_size is {self.batch_size} and drop_last is {drop_last}; reduce "
                "batch_size"
            )
        self.max_iterations = max_iterations
        if max_iterations is not None:
            self._max_iters, self._max_epochs = max_iterations, -(-max_iterations // length)
            self.val_interval = val_interval or length
        self._validated_iteration = 0

    def seek(self, *, epoch: int, iteration: int) -> None:
        """Continue after ``iteration`` iterations, the last of which was in ``epoch``."""
        self._epoch, self._iter = epoch, iteration

    def run(self) -> nn.Module:
        """Train to the end, from the current place of the loop."""
        warm_up_ddp(self.runner)
        self.runner.call_hook("before_train")
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            if self._is_validation_due():
                self._validate()
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Run the remaining iterations of an epoch; there may be none."""
        runner, batches = self.runner, self.dataloader.batch_sampler
        by_iteration = self.max_iterations is not None
        runner.call_hook("before_train_epoch")
        runner.model.train()
        done = self._epoch * len(batches)
        batches.epoch, batches.first = self._epoch, self._iter - done
        batches.end = min(len(batches), self._max_iters - done)
        for index, batch in enumerate(self.dataloader, start=batches.first):
            # before the step, not after it: a run resumed here may have to validate first
            if by_iteration and self._is_validation_due():
                self._validate()
                runner.model.train()
                if self.stop_training:
                    break
            seed_everything(runner.seed, STEP, runner.rank, self._iter)
            # mmengine's hooks expect the iteration of the run where iterations are counted
            self.run_iter(self._iter if by_iteration else index, batch)
        runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _is_validation_due(self) -> bool:
        """Return whether the validation of this place of the run has still to be done."""
        done, total = self._epoch, self._max_epochs
        if self.max_iterations is not None:
            done, total = self._iter, self._max_iters
        due = done >= self.val_begin and (done % self.val_interval == 0 or done == total)
        return due and self._iter != self._validated_iteration

    def _validate(self) -> None:
        self._validated_iteration = self._iter
        if self.runner.val_loop is not None:
            self.runner.val_loop.run()
