"""Evaluate the baselines on the test split and store their scores in the record."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from numpy.typing import NDArray
from torch import Tensor

from openstl_ext.engine.randomness import ITEM, seed_everything
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import ConfigError
from openstl_ext.hooks.default_baselines import (
    NO_TIMES,
    BaselineChoice,
    default_baselines,
    times_of,
)
from openstl_ext.interfaces import FittedFrameModel, TimedFrameModel, provides
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.progress_line import tracked
from openstl_ext.registry import DATASETS, HOOKS, METHODS
from openstl_ext.structures import Inputs, Sample, Targets
from openstl_ext.value_types import Count

NO_TRAINING = "the config has no training data"
MOST_TIMES = 5_000
"""Training samples whose times are read to find out what seasons they cover."""


@HOOKS.register_module()
class BaselinesHook(Hook):
    """Evaluate simple nets with the loader and the evaluator of the test, before the model.

    Their scores are left in ``runner.baselines`` as ``{type: {metric: value}}``, their tallies in
    ``runner.baseline_tallies``, and the reasons for those that the data do not allow in
    ``runner.baselines_left_out``, from where ``ResultHook`` takes them. A missing input pixel is
    NaN for a baseline; where it forecasts NaN, the mean of the known inputs of the channel counts.

    Args:
        nets: Configs of FrameModels; a FittedFrameModel is fitted to training targets first. By
            default those of ``default_baselines``, which depend on the data.
        num_samples: Largest number of training samples for ``fit``, evenly spaced, or drawn where
            times matter. The same ones on every rank, so that no baseline depends on the number
            of processes.

    Raises:
        ConfigError: If two nets are of one type, whose scores would have one name.
    """

    def __init__(
        self, *, nets: Sequence[dict[str, Any]] | None = None, num_samples: Count = 1000
    ) -> None:
        self.nets = None if nets is None else tuple(dict(net) for net in nets)
        self.num_samples = num_samples
        types = [net["type"] for net in self.nets or ()]
        for twice in sorted({name for name in types if types.count(name) > 1}):
            raise ConfigError(f"BaselinesHook.nets has {twice} twice; keep one of each type")

    @torch.no_grad()
    def before_test_epoch(self, runner: Runner) -> None:
        runner.baselines, runner.baseline_tallies, runner.baselines_left_out = {}, {}, {}
        evaluated: Any = unwrap(runner.model)
        if evaluated.answers != "frames":
            return
        device = next((p.device for p in evaluated.parameters()), torch.device("cpu"))
        loader = runner.cfg.get("train_dataloader")
        training = cache(lambda: DATASETS.build(loader.dataset) if loader else None)
        choice = self._choice(runner.test_dataloader.dataset, training)
        for net in choice.nets:
            method = METHODS.build({"type": "DirectForecast", "net": net, "loss": {"type": "L2"}})
            is_timed = provides(method.net, TimedFrameModel)
            if provides(method.net, FittedFrameModel) and training() is None:
                choice.left_out[net["type"]] = NO_TRAINING
                continue
            if is_timed and times_of(training(), [0]) is None:
                choice.left_out[net["type"]] = NO_TIMES
                continue
            if provides(method.net, FittedFrameModel):
                method.net.fit(self._training_targets(training(), timed=is_timed))
            if is_timed and (reason := unseen(method.net, runner.test_dataloader.dataset)):
                choice.left_out[net["type"]] = reason
                continue
            method.to(device).eval()
            runner.baselines[net["type"]] = self._score(runner, method, timed=is_timed)
            runner.baseline_tallies[net["type"]] = tallies_of(runner.test_evaluator.metrics)
        runner.baselines_left_out = choice.left_out
        for name, reason in choice.left_out.items():
            runner.logger.info(f"no baseline {name}: {reason}")

    def _choice(self, dataset: Any, training: Callable[[], Any]) -> BaselineChoice:
        if self.nets is not None:
            return BaselineChoice(list(self.nets))
        shape = dataset[0]["inputs"]["frames"].shape

        def times() -> NDArray[np.int64] | None:
            if training() is None:
                return None
            number = len(training())
            found = times_of(training(), range(0, number, max(1, number // MOST_TIMES)))
            return None if found is None else found.numpy().ravel()

        return default_baselines(dataset.metainfo, shape, times)

    def _training_targets(self, dataset: Any, *, timed: bool) -> Iterator[Targets]:
        """Yield targets of training samples, with their times if they matter.

        Evenly spaced samples could all be of one time of the day. Samples that are drawn when they
        are read are the same ones for every seed of a recipe and on every rank.
        """
        step = max(1, -(-len(dataset) // self.num_samples))
        indices: Sequence[int] = range(0, len(dataset), step)
        if timed:
            draw = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))
            indices = sorted(draw[: self.num_samples].tolist())
        for index in tracked(indices, "baselines: training targets", "samples"):
            seed_everything(0, ITEM, 0, index)
            targets = dataset[index]["data_samples"]
            if timed:
                (times,) = required_times(dataset, [index])
                targets = {**targets, "times": times}
            yield targets

    @staticmethod
    def _score(runner: Runner, method: Any, *, timed: bool) -> dict[str, float]:
        loader = runner.test_dataloader
        text = f"test of {type(method.net).__name__}"
        batches = zip(loader, loader.batch_sampler, strict=True)
        for batch, indices in tracked(batches, text, "batches", total=len(loader)):
            inputs = with_gaps(batch["inputs"])
            if timed:
                inputs["times"] = required_times(loader.dataset, indices)
            samples = method.val_step({**batch, "inputs": inputs})
            if timed or "valid" in batch["inputs"]:
                samples = list(map(filled, samples, inputs["frames"]))
            runner.test_evaluator.process(data_samples=samples, data_batch=batch)
        return dict(runner.test_evaluator.evaluate(len(loader.dataset)))


def with_gaps(inputs: Inputs) -> Inputs:
    """Return inputs whose missing pixels are NaN, instead of a mask."""
    kept: Any = {name: value for name, value in inputs.items() if name != "valid"}
    if "valid" in inputs:
        kept["frames"] = torch.where(inputs["valid"], inputs["frames"].float(), torch.nan)
    return kept


def filled(sample: Sample, frames: Tensor) -> Sample:
    """Return the sample with the mean of the known inputs of a channel where it is missing.

    Shape:
        - frames: inputs of the sample (T, C, H, W), NaN where they are missing.
    """
    forecast, last = sample["forecast"], sample["last"]
    mean = frames.to(forecast).nanmean(dim=(0, 2, 3), keepdim=True)[0].nan_to_num()
    # as in the test of a method, the last frame is 0 where it is missing
    return {
        **sample,
        "forecast": torch.where(forecast.isnan(), mean, forecast),
        "last": torch.where(last.isnan(), 0.0, last),
    }


def unseen(net: Any, dataset: Any) -> str:
    """Return the reason to leave a net out that has not seen all seasons of a test; else empty."""
    known = net.known(required_times(dataset, range(len(dataset))))
    if known.all():
        return ""
    return (
        f"{int((~known).sum()):,} of {known.numel():,} target frames are of a season without a "
        "training frame"
    )


def required_times(dataset: Any, indices: Sequence[int]) -> Tensor:
    """Return the times of the target frames of samples.

    Raises:
        ConfigError: If the dataset states some times, but not these.
    """
    times = times_of(dataset, indices)
    if times is None:
        raise ConfigError(
            f"{NO_TIMES} in split {getattr(dataset, 'split', '')!r}, but in that of the training; "
            "remove SeasonalMean from the baselines"
        )
    return times


def tallies_of(metrics: Iterable[Any]) -> dict[str, NDArray[Any]]:
    """Return the tallies of the metrics that compare models sample by sample, by name."""
    kept = (metric for metric in metrics if isinstance(metric, SampleMetric) and metric.is_paired)
    return {metric.name: metric.tallies for metric in kept}
