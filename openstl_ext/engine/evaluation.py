"""Evaluation loops whose scores do not depend on the number of ranks."""

import copy
from abc import ABC
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from torch import Tensor

from openstl_ext.engine.distributed import share_buffers
from openstl_ext.engine.guards import end_validation_after_signal
from openstl_ext.engine.loops import Seeded
from openstl_ext.engine.plan import Facts
from openstl_ext.engine.randomness import EVALUATION, seed_everything
from openstl_ext.engine.state import unwrap
from openstl_ext.interfaces import Postprocessor
from openstl_ext.registry import LOOPS


def num_samples(batch: Any) -> int:
    """Return the length of the first axis of the first tensor in nested dicts."""
    while isinstance(batch, dict):
        batch = next(value for value in batch.values() if not isinstance(value, dict) or value)
    return len(batch)


def padded(batch: Any, size: int) -> Any:
    """Return the batch with its last sample repeated until it has ``size`` samples.

    Convolutions may sum in another order for another batch size. With one size for all batches,
    the forecast of a sample does not depend on the number of ranks.
    """
    if isinstance(batch, dict):
        return {key: padded(value, size) for key, value in batch.items()}
    missing = size - len(batch)
    if isinstance(batch, Tensor):
        return torch.cat([batch, batch[-1:].expand(missing, *batch.shape[1:])])
    return [*batch, *[batch[-1]] * missing]


def blocks_of(dataset: Any) -> list[str] | None:
    """Return the block of each sample; None if the dataset does not name blocks."""
    size = len(dataset)
    if not size or not hasattr(dataset, "block_id") or dataset.block_id(0) is None:
        return None
    return [str(dataset.block_id(index)) for index in range(size)]


class EvaluationLoop(BaseLoop, ABC):
    """Predict every sample once, and pass each to the metrics once.

    Hooks receive the batch of the loader without padding, and one output for each of its samples.

    Args:
        runner: The run.
        dataloader: Config of the loader.
        evaluator: Config of the metrics.
    """

    stage: str
    encodes = False
    """Whether the loop evaluates the encoder of a method that has a loss only."""

    def __init__(
        self,
        runner: Runner,
        dataloader: dict[str, Any],
        evaluator: Evaluator | dict[str, Any] | list[dict[str, Any]],
    ) -> None:
        loader = dict(dataloader)
        loader["dataset"] = {"type": Seeded, "dataset": loader["dataset"], "seed": runner.seed}
        super().__init__(runner, loader)
        self.evaluator = runner.build_evaluator(evaluator)
        self._metrics_config = evaluator
        self.postprocessors: dict[str, tuple[Postprocessor, Evaluator]] = {}
        self.postprocessed: dict[str, dict[str, float]] = {}
        metainfo = getattr(self.dataloader.dataset, "metainfo", None)
        self.evaluator.dataset_meta = runner.visualizer.dataset_meta = metainfo
        for metric in self.evaluator.metrics:
            metric.blocks = blocks_of(self.dataloader.dataset)
            getattr(metric, "prepare", lambda: None)()  # metrics of mmengine have nothing to load

    def add_postprocessor(self, name: str, postprocessor: Postprocessor) -> None:
        """Evaluate each forecast a second time, after a postprocessor.

        The scores are in ``postprocessed`` under the name after the loop.
        """
        evaluator = self.runner.build_evaluator(copy.deepcopy(self._metrics_config))
        evaluator.dataset_meta = self.evaluator.dataset_meta
        for metric in evaluator.metrics:
            metric.blocks = blocks_of(self.dataloader.dataset)
        self.postprocessors[name] = (postprocessor, evaluator)

    def prepare(self) -> None:
        """Do what the predictions need, with the weights of the moment; nothing by default."""

    def facts(self) -> Facts:
        """Return what decides the predictions beside weights and test data; nothing by default."""
        return {}

    def predict(self, batch: Any) -> list[Any]:
        """Return a sample for each of a batch."""
        return self.runner.model.test_step(batch)

    def run(self) -> dict[str, float]:
        """Evaluate all samples of the split.

        Returns:
            The scores, the same on every rank.
        """
        runner, stage = self.runner, self.stage
        share_buffers(unwrap(runner.model))
        runner.call_hook(f"before_{stage}")
        runner.call_hook(f"before_{stage}_epoch")
        runner.model.eval()
        self.prepare()
        most = self._most_batches()
        for index, batch in enumerate(self.dataloader):
            self.run_iter(index, batch)
            self._end_after_signal()
        for _ in range(len(self.dataloader), most):  # another rank has more batches
            self._end_after_signal()
        size = len(self.dataloader.dataset)
        for name, (_, evaluator) in self.postprocessors.items():
            self.postprocessed[name] = evaluator.evaluate(size)
        metrics = self.evaluator.evaluate(size)
        runner.call_hook(f"after_{stage}_epoch", metrics=metrics)
        runner.call_hook(f"after_{stage}")
        return metrics

    def _end_after_signal(self) -> None:
        if self.runner.is_training:
            end_validation_after_signal(self.runner)

    def _most_batches(self) -> int:
        """Return the largest number of batches of any rank."""
        most = torch.tensor(len(self.dataloader), device=get_device())
        all_reduce(most, op="max")
        return int(most)

    @torch.no_grad()
    def run_iter(self, index: int, batch: dict[str, Any]) -> None:
        """Predict one batch and pass its samples to the metrics."""
        runner, stage, size = self.runner, self.stage, self.dataloader.batch_size
        runner.call_hook(f"before_{stage}_iter", batch_idx=index, data_batch=batch)
        given = num_samples(batch)
        # by its first sample, so that with batches of one the number of ranks has no influence
        seed_everything(runner.seed, EVALUATION, index * size * runner.world_size + runner.rank)
        # of the split too, or a batch size far above its length would fill the memory with copies
        wanted = min(size, len(self.dataloader.dataset))
        full = batch if given == wanted else padded(batch, wanted)
        outputs = self.predict(full)[:given]
        self.evaluator.process(data_samples=outputs, data_batch=batch)
        for postprocessor, evaluator in self.postprocessors.values():
            changed = [postprocessor(sample) for sample in outputs]
            evaluator.process(data_samples=changed, data_batch=batch)
        runner.call_hook(f"after_{stage}_iter", batch_idx=index, data_batch=batch, outputs=outputs)


@LOOPS.register_module()
class ExactValLoop(EvaluationLoop):
    """Evaluate the validation split."""

    stage = "val"


@LOOPS.register_module()
class ExactTestLoop(EvaluationLoop):
    """Evaluate the test split for the record."""

    stage = "test"
