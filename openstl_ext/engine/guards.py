"""End a run after a non-finite loss or a signal."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader

from openstl_ext.engine import checkpoint, console
from openstl_ext.engine.state import accumulative_counts
from openstl_ext.errors import NonFiniteError
from openstl_ext.registry import FUNCTIONS, HOOKS
from openstl_ext.value_types import Count

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGBREAK")
    if hasattr(signal, name)
)
"""Signals of a user (Ctrl-C, a closed terminal, Ctrl-Break) and of job schedulers."""

NOTICE_SECONDS = 5.0
"""Longest time between two checks for signals, unless one iteration takes longer."""

SAME_SECONDS = 0.5
"""A launcher forwards the Ctrl-C that a terminal has sent to all processes."""


@FUNCTIONS.register_module()
def ignore_signals(worker_id: int) -> None:  # noqa: ARG001
    """Make a worker ignore signals sent to all processes of a job, so that the run can still save.

    The worker ends when ``end_workers`` closes its loader, or when its parent has ended.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def end_workers(loaders: Iterable[DataLoader[Any]]) -> None:
    """End the workers that wait for another epoch.

    At exit, Python would send them SIGTERM, which they ignore, and wait for them forever.
    """
    for loader in loaders:
        if (iterator := getattr(loader, "_iterator", None)) is not None:
            iterator._shutdown_workers()  # not `del`: a traceback may refer to it
            loader._iterator = None


class SignalWatch:
    """Store a received signal, so that the run can end at a place where it can be resumed.

    The handler does nothing else: saving inside it could store half a step. A signal after a first
    Ctrl-C raises KeyboardInterrupt at once; torchrun forwards a second Ctrl-C as SIGTERM. Signals
    that are ignored at the start, as under ``nohup``, stay so.
    A signal that arrives after the last step is raised again when the training has ended.

    Attributes:
        caught: Number of the signal that this process received, or 0.
        agreed: Largest ``caught`` of all ranks at the last check of all ranks.
    """

    def __init__(self) -> None:
        self.caught = self.agreed = 0
        self._received_at = 0.0
        self._before: dict[int, Any] = {}
        self._console = contextlib.ExitStack()

    def __enter__(self) -> "SignalWatch":
        if threading.current_thread() is threading.main_thread():  # Python allows it nowhere else
            for number in SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        self._console.enter_context(console.when_closed(self._note_closed_console))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._console.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        if error is None and self.caught:
            signal.raise_signal(self.caught)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        is_second = time.monotonic() > self._received_at + SAME_SECONDS
        if self.caught == signal.SIGINT and is_second:
            raise KeyboardInterrupt
        is_first_rank = os.environ.get("RANK", "0") == "0"
        if not self.caught and number == signal.SIGINT and is_first_rank:
            os.write(2, b"\nCtrl-C: the run is saved at the next step; again ends it at once\n")
        self.caught, self._received_at = number, time.monotonic()

    def _note_closed_console(self) -> None:
        self.caught = self.caught or signal.SIGBREAK  # type: ignore[attr-defined]  # of Windows

    def share(self, runner: Runner) -> int:
        """Return the signal that any rank has received, or 0; every rank calls it together."""
        self.agreed = self.caught
        if runner.world_size > 1:
            flag = torch.tensor(float(self.caught), device=get_device())
            all_reduce(flag, op="max")
            self.agreed = int(flag)
        return self.agreed


@HOOKS.register_module()
class GuardHook(Hook):
    """Stop at a non-finite loss before it is saved, and share signals among ranks.

    All ranks stop together: if one stopped alone, the others would wait for it.

    Args:
        interval: Iterations between checks; each covers all losses since the last one. Reading a
            loss makes a GPU wait, so None means every iteration on a CPU and every tenth elsewhere.
            Slow iterations are checked more often, so that a signal is noticed within five seconds.

    Raises:
        NonFiniteError: With the iteration and the terms of the loss.
    """

    priority = "HIGH"  # before anything is logged or saved

    def __init__(self, *, interval: Count | None = None) -> None:
        self.interval = interval or (1 if get_device() == "cpu" else 10)
        self.pending: list[tuple[int, dict[str, Tensor]]] = []
        self.next_check = 0
        self.checked_at = time.monotonic()

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,  # noqa: ARG002
        data_batch: Any = None,  # noqa: ARG002
        outputs: dict[str, Tensor] | None = None,
    ) -> None:
        terms = {k: v.detach() for k, v in (outputs or {}).items() if isinstance(v, Tensor)}
        self.pending.append((runner.iter, terms))
        done = runner.iter + 1
        if done >= self.next_check or ends_epoch(runner):
            self.check_losses(runner)

    def check_losses(self, runner: Runner) -> None:
        """Decide together with all ranks whether to stop."""
        seen, self.pending = self.pending, []
        losses = torch.stack([terms["loss"] for _, terms in seen]).float()
        bad = float(not bool(losses.isfinite().all()))
        now = time.monotonic()
        seconds, self.checked_at = (now - self.checked_at) / len(seen), now
        flags = torch.tensor([bad, float(runner.watch.caught), seconds])
        if runner.world_size > 1:
            flags = flags.to(get_device())
            all_reduce(flags, op="max")  # the next check too is at the same place on all ranks
        any_bad, caught, seconds = flags.tolist()
        runner.watch.agreed = int(caught)
        gap = min(self.interval, int(NOTICE_SECONDS / seconds) if seconds else self.interval)
        self.next_check = runner.iter + 1 + max(1, gap)
        if any_bad:
            raise NonFiniteError(described(seen, runner))


def ends_epoch(runner: Runner) -> bool:
    """Return whether the current iteration is the last one of an epoch or of the training."""
    done = runner.iter + 1
    return done % len(runner.train_dataloader) == 0 or done == runner.max_iters


def described_samples(runner: Runner, iteration: int) -> str:
    """Return the ids of the samples that this rank was given at an iteration, for a message."""
    batches, dataset = runner.train_dataloader.batch_sampler, runner.train_dataloader.dataset
    epoch, batch = divmod(iteration, len(batches))
    names = [str(dataset.sample_id(index)) for _, index in batches.tickets(epoch, batch)]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def described(seen: list[tuple[int, dict[str, Tensor]]], runner: Runner) -> str:
    """Return the message about the first non-finite loss, with its terms on this rank."""
    for iteration, terms in seen:
        if not bool(terms["loss"].isfinite()):
            values = ", ".join(f"{name} = {float(value):g}" for name, value in terms.items())
            return (
                f"the loss is not finite at iteration {iteration + 1} on rank {runner.rank}: "
                f"{values}; the last checkpoint is intact; check the data of that batch "
                f"({described_samples(runner, iteration)}), lower the learning rate or clip "
                "gradients"
            )
    return f"the loss is not finite on another rank, near iteration {seen[-1][0] + 1}"


@HOOKS.register_module()
class PreemptionHook(Hook):
    """After a signal, save at the next iteration that completes an update, and exit.

    The exit status is 128 + signal (143 for SIGTERM), and ``--resume`` continues from there bit
    for bit. In the middle of an accumulation the gradients, which are not saved, would be lost.

    Raises:
        SystemExit: After saving.
    """

    changes = "nothing"
    priority = "VERY_LOW"  # after the steps of schedules and averages

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        done = runner.iter + 1
        if runner.world_size == 1:  # no other rank has to agree
            runner.watch.agreed = runner.watch.caught
        if runner.watch.agreed and completes_update(runner, done):
            end_after_signal(runner, epoch=runner.epoch, iteration=done)


def completes_update(runner: Runner, done: int) -> bool:
    """Return whether no gradients are pending after this number of iterations."""
    return done % accumulative_counts(runner) == 0 or done == runner.max_iters


def end_after_signal(runner: Runner, *, epoch: int, iteration: int) -> None:
    """Save the run, unless this place is saved already, and exit.

    Args:
        runner: The run.
        epoch: Epoch of the last iteration, from 0.
        iteration: Number of iterations done.

    Raises:
        SystemExit: After saving.
    """
    entries = checkpoint.read_manifest(runner.work_dir)
    if not any(e.kind == "resume" and e.iteration == iteration for e in entries):
        runner.save_resumable(epoch=epoch, iteration=iteration)
    number = runner.watch.agreed
    name = signal.Signals(number).name
    runner.logger.warning(
        f"signal {number} ({name}): saved after {iteration} iterations; continue with --resume"
    )
    raise SystemExit(128 + number)


def end_validation_after_signal(runner: Runner) -> None:
    """End the run within a validation if a rank has received a signal; every rank calls it.

    The state of the training is complete here, and a resumed run does this validation again. While
    gradients are pending it is not, and the validation goes on.

    Raises:
        SystemExit: After saving.
    """
    loop = runner.train_loop
    if not completes_update(runner, loop.iter) or not runner.watch.share(runner):
        return
    for hook in runner.hooks:
        if isinstance(hook, EMAHook):  # a validation uses the averages in place of the weights
            hook.after_val_epoch(runner)
    end_after_signal(runner, epoch=loop.epoch - loop.is_epoch_closed, iteration=loop.iter)
