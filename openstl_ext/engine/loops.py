"""Training loop whose batches and random numbers depend on the place in the run only."""

import copy
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Any

import torch
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_rank
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import Dataset, Sampler

from openstl_ext.engine.checkpoint import nothing_left
from openstl_ext.engine.ddp_warmup import refuse_unused_parameters, warm_up_ddp
from openstl_ext.engine.grouped_batches import count_batches, grouped, groups_of
from openstl_ext.engine.randomness import ITEM, STEP, sample_seed, seed_everything
from openstl_ext.engine.rank_watch import report_iteration
from openstl_ext.engine.shares import step_of_shares
from openstl_ext.engine.state import accumulative_counts
from openstl_ext.engine.training_time import TrainingClock, device_name
from openstl_ext.errors import CheckpointError, ConfigError, DataError
from openstl_ext.frame_rules import check_item
from openstl_ext.registry import DATASETS, LOOPS
from openstl_ext.value_types import Count

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

    All ranks together take ``num_shares`` batches per iteration. Each iteration takes the next
    ``num_processes * batch_size`` samples of the order of the epoch, and share ``i`` of ``n`` gets
    every ``n``-th of them, from the ``i``-th on. Usually each rank takes one share.

    Where the dataset declares ``groups``, the samples of an iteration are of one group, on all
    ranks. An incomplete last iteration of a group is filled with samples of this group.

    Args:
        sampler: Order of the indices in an epoch.
        batch_size: Samples per batch and rank, for the number of ranks that the run began with.
        drop_last: Whether an incomplete last batch is omitted.

    Attributes:
        epoch: Epoch, from 0.
        first: First iteration to yield.
        end: Iteration after the last one to yield; None yields all.
        num_processes: Number of ranks that the run began with.
        num_shares: Number of shares of an iteration.
        shares: Those of this rank, in the order in which they are yielded.

    Raises:
        ConfigError: If there are groups and another sampler than ``DefaultSampler``, or if a group
            is smaller than an iteration and ``drop_last`` would omit it.
    """

    def __init__(self, *, sampler: DefaultSampler, batch_size: int, drop_last: bool) -> None:
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last
        self.epoch = self.first = 0
        self.end: int | None = None
        self.num_processes = self.num_shares = 1
        self.shares = [get_rank()]
        self.divides = isinstance(sampler, DefaultSampler)  # others yield those of one rank
        source = getattr(sampler, "data_source", None)  # as torch's own samplers name it
        self.groups = groups_of(getattr(sampler, "dataset", source))
        self.group_sizes = Counter(self.groups or ())
        if self.groups is not None and not self.divides:
            raise ConfigError(
                f"the dataset declares groups, which {type(sampler).__name__} does not divide into "
                "batches; use DefaultSampler"
            )
        if self.divides:
            self.divide(sampler.world_size, rank=sampler.rank, world_size=sampler.world_size)

    def divide(self, num_processes: int, *, rank: int, world_size: int) -> None:
        """Divide the batches of a run that began with ``num_processes`` among ``world_size`` ranks.

        With fewer ranks, each takes several shares, as many ranks did before. With a number that
        does not divide ``num_processes``, the samples are divided into smaller or larger shares.

        Raises:
            CheckpointError: If the samples of an iteration cannot be divided.
        """
        per_iteration = num_processes * self.batch_size
        self.num_shares = num_processes if num_processes % world_size == 0 else world_size
        if not self.divides:
            raise CheckpointError(
                f"the run began with {num_processes} processes, and {type(self.sampler).__name__} "
                "cannot be divided among another number; resume with as many, or use DefaultSampler"
            )
        if per_iteration % self.num_shares:
            raise CheckpointError(
                f"the run began with {num_processes} processes and batch_size={self.batch_size}; "
                f"the {per_iteration} samples of an iteration cannot be divided among {world_size} "
                f"processes; use a number of processes that divides {per_iteration}"
            )
        count = self.num_shares // world_size
        self.num_processes = num_processes
        self.shares = list(range(rank * count, (rank + 1) * count))
        # the sampler yields the order of all ranks, and repeats samples as for the first ranks
        sampler = self.sampler
        size = len(sampler.dataset)
        if sampler.round_up:
            size = -(-size // num_processes) * num_processes
        sampler.rank, sampler.world_size = 0, 1
        sampler.num_samples = sampler.total_size = size

    @property
    def samples_per_iteration(self) -> int:
        return self.num_processes * self.batch_size

    def __len__(self) -> int:
        size, per_iteration = len(self.sampler), self.samples_per_iteration
        if self.groups is not None:
            return count_batches(
                self.group_sizes, batch_size=per_iteration, drop_last=self.drop_last
            )
        return size // per_iteration if self.drop_last else -(-size // per_iteration)

    def __iter__(self) -> Iterator[list[Ticket]]:
        self.sampler.set_epoch(self.epoch)
        end = len(self) if self.end is None else self.end
        for together in self._iterations(self.sampler)[self.first : end]:
            for share in self._shares_of(together):
                yield [(self.epoch, index) for index in share]

    def tickets(self, epoch: int, batch: int) -> list[Ticket]:
        """Return the tickets of one iteration of an epoch, for this rank."""
        sampler = copy.copy(self.sampler)  # the place of this one is that of the training
        sampler.set_epoch(epoch)
        together = self._iterations(sampler)[batch]
        return [(epoch, index) for share in self._shares_of(together) for index in share]

    def _iterations(self, sampler: DefaultSampler) -> list[list[int]]:
        """Return the indices of each iteration of an epoch, for all ranks."""
        order, size = list(sampler), self.samples_per_iteration
        if self.groups is not None:
            once = order[: len(self.groups)]  # the sampler repeats some for equal shares
            return grouped(once, self.groups, batch_size=size, drop_last=self.drop_last)
        iterations = [order[batch * size : (batch + 1) * size] for batch in range(len(self))]
        if iterations:
            iterations[-1] += islice(cycle(order), -len(iterations[-1]) % self.num_shares)
        return iterations

    def _shares_of(self, together: list[int]) -> Iterator[list[int]]:
        """Yield the shares of this rank of one iteration."""
        for share in self.shares:
            yield together[share :: self.num_shares] if self.divides else together


@LOOPS.register_module()
class ExactTrainLoop(EpochBasedTrainLoop):
    """Training loop, counted in epochs or in iterations, that can start at any iteration.

    A killed and resumed run equals an uninterrupted run bit for bit, with any number of workers
    and in the middle of an epoch too. Either unit gives the same batches in the same order. A run
    resumed with another number of processes keeps the order and the samples of each iteration.

    Args:
        runner: The run.
        dataloader: Config of the loader.
        max_epochs: Number of epochs.
        max_iterations: Number of iterations, instead of epochs. Intervals and schedules then
            count iterations, and the training may end in the middle of an epoch.
        val_begin: First epoch or iteration, counted from 1, that is validated.
        val_interval: Epochs or iterations between validations; by default one epoch. The end of
            the training is always validated.

    Attributes:
        clock: Time of the training so far; see ``TrainingClock``.

    Raises:
        ConfigError: If an epoch has no batch.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        max_epochs: Count | None = None,
        max_iterations: Count | None = None,
        val_begin: Count = 1,
        val_interval: Count | None = None,
    ) -> None:
        loader = dict(dataloader)
        drop_last = loader.pop("drop_last", False)
        self.batch_size = loader["batch_size"]
        loader["dataset"] = {"type": Seeded, "dataset": loader["dataset"], "seed": runner.seed}
        loader["batch_sampler"] = {"type": SeekableBatches, "drop_last": drop_last}
        super().__init__(runner, loader, max_epochs or 1, val_begin, val_interval or 1)
        self.batches = self.dataloader.batch_sampler
        if runner.num_processes != runner.world_size:
            self.batches.divide(
                runner.num_processes, rank=runner.rank, world_size=runner.world_size
            )
            self._max_iters = (max_epochs or 1) * len(self.dataloader)
        if (length := len(self.dataloader)) == 0:
            raise ConfigError(
                f"an epoch has no batch: the training set has {len(self.dataloader.dataset)} "
                f"samples, batch_size is {self.batch_size} and drop_last is {drop_last}; reduce "
                "batch_size"
            )
        wanted, samples = self.batches.samples_per_iteration, len(self.dataloader.dataset)
        if wanted > samples:
            runner.logger.warning(
                f"an iteration takes up to {wanted:,} samples, but the training set has "
                f"{samples:,}: reduce train_dataloader.batch_size (--batch-size)"
            )
        self.max_iterations = max_iterations
        self.is_finished = False
        if max_iterations is not None:
            self._max_iters, self._max_epochs = max_iterations, -(-max_iterations // length)
            self.val_interval = val_interval or length
        self._validated_iteration = 0
        self.is_epoch_closed = False
        self.clock = TrainingClock(runner.world_size, device_name())

    def seek(self, *, epoch: int, iteration: int, is_epoch_closed: bool = False) -> None:
        """Continue after ``iteration`` iterations, the last of which was in ``epoch``.

        Args:
            epoch: Epoch, from 0.
            iteration: Number of iterations done.
            is_epoch_closed: Whether the hooks at the end of the epoch have been called, as during
                the validation after it.
        """
        self._epoch, self._iter = epoch + is_epoch_closed, iteration
        self.is_epoch_closed = is_epoch_closed

    def run(self) -> nn.Module:
        """Train to the end, from the current place of the loop."""
        if self.is_finished:
            self.runner.logger.info(nothing_left(self.runner.work_dir, self._iter))
            return self.runner.model
        if accumulative_counts(self.runner) > 1:  # schedules step before the first update
            warnings.filterwarnings("ignore", "Detected call of `scheduler.step", UserWarning)
        refuse_unused_parameters(self.runner)
        warm_up_ddp(self.runner)
        self.runner.call_hook("before_train")
        if self.is_epoch_closed and self._is_validation_due():  # the run ended in this validation
            self._validate()
        self.clock.start()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            if self._is_validation_due():
                self._validate()
        self.clock.stop()
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Run the remaining iterations of an epoch; there may be none."""
        runner, batches = self.runner, self.batches
        by_iteration = self.max_iterations is not None
        self.is_epoch_closed = False
        runner.call_hook("before_train_epoch")
        runner.model.train()
        done = self._epoch * len(batches)
        batches.epoch, batches.first = self._epoch, self._iter - done
        batches.end = min(len(batches), self._max_iters - done)
        shares = zip(*[iter(self.dataloader)] * len(batches.shares), strict=True)
        for index, batch in enumerate(shares, start=batches.first):
            # before the step, not after it: a run resumed here may have to validate first
            if by_iteration and self._is_validation_due():
                self._validate()
                runner.model.train()
                if self.stop_training:
                    break
            report_iteration(self._iter)
            # mmengine's hooks expect the iteration of the run where iterations are counted
            self.run_shares(self._iter if by_iteration else index, batch)
        runner.call_hook("after_train_epoch")
        self._epoch += 1
        self.is_epoch_closed = True

    def run_shares(self, index: int, shares: Sequence[Any]) -> None:
        """Run one iteration with the batches of this rank; there is usually one."""
        runner = self.runner
        self.seed_step(self.batches.shares[0])
        runner.call_hook("before_train_iter", batch_idx=index, data_batch=shares[0])
        if len(shares) == 1:
            outputs = runner.model.train_step(shares[0], optim_wrapper=runner.optim_wrapper)
        else:
            outputs = step_of_shares(runner, shares, self.batches.shares, self.seed_step)
        runner.call_hook("after_train_iter", batch_idx=index, data_batch=shares[0], outputs=outputs)
        self._iter += 1

    def seed_step(self, share: int) -> None:
        """Seed the random numbers of a share in the current iteration."""
        seed_everything(self.runner.seed, STEP, share, self._iter)

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
            with self.clock.paused():
                self.runner.val_loop.run()
