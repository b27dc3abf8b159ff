"""The line of a log that tells what an epoch, or the part between two validations, has brought."""

import sys
from collections.abc import Iterator, Mapping

import torch
from mmengine.runner import Runner

from openstl_ext.engine.checkpoint import read_manifest
from openstl_ext.engine.run_folder import shown
from openstl_ext.hooks.checkpoint import ExactCheckpointHook
from openstl_ext.progress_task import duration_text

MOST_SCORES = 4
"""Validation scores of a line; all are in ``scalars.jsonl``."""


class EpochLine:
    """Collect the facts of a line until it can be told.

    Args:
        runner: The run.
        counts_iterations: Whether the training counts iterations, not epochs.

    Attributes:
        first: Iterations done before those of the present line.
    """

    def __init__(self, runner: Runner, *, counts_iterations: bool) -> None:
        self.runner, self.counts_iterations = runner, counts_iterations
        self.first = runner.iter
        self.scores: Mapping[str, float] | None = None
        self._is_trained = False

    @property
    def place(self) -> str:
        """Text such as ``epoch  3/20``, of the last iteration."""
        runner = self.runner
        if self.counts_iterations:
            return f"iteration {runner.iter:>{len(str(runner.max_iters))}}/{runner.max_iters}"
        loop, total = runner.train_loop, str(runner.max_epochs)
        # the loop counts an epoch as soon as its hooks have been called
        epoch = min(runner.epoch + (not loop.is_epoch_closed), runner.max_epochs)
        return f"epoch {epoch:>{len(total)}}/{total}"

    def trained(self) -> None:
        """Note that an epoch is complete."""
        self._is_trained, self._place = True, self.place

    def validated(self, scores: Mapping[str, float]) -> None:
        """Note the scores of the weights of this moment."""
        if not self._is_trained:  # resumed within the validation, or iterations are counted
            self._place = self.place
        self.scores = scores

    def text(self, runner: Runner, *, left: float | None) -> str:
        """Return the line, once; empty if nothing has been completed since the last one.

        Args:
            runner: The run.
            left: Remaining seconds of the training, if they are known.
        """
        if not self._is_trained and self.scores is None:
            return ""
        parts = [self._place]
        if (count := runner.iter - self.first) > 0:
            losses = runner.message_hub.log_scalars.get("train/loss")
            parts += [] if losses is None else [f"loss {figure(losses.mean(count))}"]
        if self.scores:
            parts.append("val " + "  ".join(self._scores(self.scores)))
        rates = runner.message_hub.log_scalars.get("train/lr")
        parts += [] if rates is None else [f"lr {rates.current():.2e}"]
        if runner.iter < runner.max_iters and left is not None:
            parts.append(f"left {duration_text(left)}")
        if self.scores and self._is_best():
            parts.append("best so far")
        self.first, self.scores, self._is_trained = runner.iter, None, False
        return "  ".join(parts)

    def _scores(self, scores: Mapping[str, float]) -> list[str]:
        """Return the score that chooses the best weights, and some others."""
        hooks = (h for h in self.runner.hooks if isinstance(h, ExactCheckpointHook))
        key = next((hook.save_best for hook in hooks), None) or ""
        shown = {key: scores[key]} if key in scores else {}
        shown |= {name: value for name, value in overall(scores).items() if name != key}
        return [f"{name} {figure(value)}" for name, value in list(shown.items())[:MOST_SCORES]]

    def _is_best(self) -> bool:
        entries = read_manifest(self.runner.work_dir)
        return any(e.kind == "best" and e.iteration == self.runner.iter for e in entries)


def run_lines(runner: Runner) -> Iterator[str]:
    """Yield what is trained, on how many data, and where it is written to."""
    cfg, loop = runner.cfg, runner.train_loop
    model = runner.model.module if hasattr(runner.model, "module") else runner.model
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    name = cfg.get("identity") or cfg.filename
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    length = len(runner.train_dataloader)
    plan = f"{loop.max_epochs} epochs of {length} iterations"
    if loop.max_iterations is not None:
        plan = f"{loop.max_iterations:,} iterations, {length} an epoch"
    several = f", {runner.world_size} processes" if runner.world_size > 1 else ""
    yield (
        f"{name}, seed {runner.seed}: {count:,} weights, {len(runner.train_dataloader.dataset):,} "
        f"samples, {plan}, on {device}{several}"
    )
    yield f"writing to {shown(runner.work_dir)}"


def overall(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the scores without those of single leads, channels and classes, if there are any."""
    return {k: v for k, v in scores.items() if "@" not in k and "[" not in k} or {
        k: v for k, v in scores.items() if "@" not in k
    }


def figure(value: float) -> str:
    """Return a number with four digits."""
    return f"{value:#.4g}".rstrip(".") if value == value else "nan"


def memory_text() -> str:
    """Return the largest memory so far: of the GPU, or of this process; empty if not known."""
    if torch.cuda.is_available():
        return f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB"
    if sys.platform == "win32":
        return ""
    import resource  # not on Windows

    # in kB, on a Mac in bytes
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9:.1f} GB"
