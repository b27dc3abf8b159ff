"""Evaluate the baselines on the test split and store their scores in the record."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from numpy.typing import NDArray
from torch.utils.data import Dataset

from openstl_ext.engine.state import unwrap
from openstl_ext.interfaces import FittedFrameModel, provides
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.progress_line import tracked
from openstl_ext.registry import DATASETS, HOOKS, METHODS
from openstl_ext.structures import Targets
from openstl_ext.value_types import Count

SIMPLE = ({"type": "Persistence"}, {"type": "TrainingMean"})


@HOOKS.register_module()
class BaselinesHook(Hook):
    """Evaluate simple nets with the loader and the evaluator of the test, before the model.

    Their scores are left in ``runner.baselines`` as ``{type: {metric: value}}`` and their tallies
    in ``runner.baseline_tallies``, from where ``ResultHook`` takes them.

    Args:
        nets: Configs of FrameModels; a FittedFrameModel is fitted to training targets first.
        num_samples: Largest number of training samples, evenly spaced, for ``fit``. The same ones
            on every rank, so that no baseline depends on the number of processes.
    """

    def __init__(
        self, *, nets: Sequence[dict[str, Any]] = SIMPLE, num_samples: Count = 1000
    ) -> None:
        self.nets = tuple(dict(net) for net in nets)
        self.num_samples = num_samples

    @torch.no_grad()
    def before_test_epoch(self, runner: Runner) -> None:
        runner.baselines, runner.baseline_tallies = {}, {}
        evaluated: Any = unwrap(runner.model)
        if evaluated.answers != "frames":
            return
        device = next((p.device for p in evaluated.parameters()), torch.device("cpu"))
        for net in self.nets:
            method = METHODS.build({"type": "DirectForecast", "net": net, "loss": {"type": "L2"}})
            if provides(method.net, FittedFrameModel):
                method.net.fit(self._training_targets(runner.cfg))
            method.to(device).eval()
            runner.baselines[net["type"]] = self._score(runner, method)
            runner.baseline_tallies[net["type"]] = tallies_of(runner.test_evaluator.metrics)

    def _training_targets(self, cfg: Any) -> Iterator[Targets]:
        dataset: Dataset = DATASETS.build(cfg.train_dataloader.dataset)
        step = max(1, -(-len(dataset) // self.num_samples))  # type: ignore[arg-type]
        indices = range(0, len(dataset), step)  # type: ignore[arg-type]
        for index in tracked(indices, "baselines: training targets", "samples"):
            yield dataset[index]["data_samples"]

    @staticmethod
    def _score(runner: Runner, method: Any) -> dict[str, float]:
        text = f"test of {type(method.net).__name__}"
        for batch in tracked(runner.test_dataloader, text, "batches"):
            runner.test_evaluator.process(data_samples=method.val_step(batch), data_batch=batch)
        return dict(runner.test_evaluator.evaluate(len(runner.test_dataloader.dataset)))


def tallies_of(metrics: Iterable[Any]) -> dict[str, NDArray[Any]]:
    """Return the tallies of the metrics that measure single samples, by name."""
    return {metric.name: metric.tallies for metric in metrics if isinstance(metric, SampleMetric)}
