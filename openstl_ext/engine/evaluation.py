"""Loops that judge each sample alike, however many ranks share the work."""

import copy
from abc import ABC
from typing import Any

import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from torch import Tensor

from openstl_ext.engine.distributed import share_buffers
from openstl_ext.engine.loops import Seeded
from openstl_ext.engine.randomness import EVALUATION, seed_everything
from openstl_ext.engine.state import unwrap
from openstl_ext.interfaces import Postprocessor
from openstl_ext.registry import LOOPS


def num_samples(batch: Any) -> int:
    """Length of the first axis of the first tensor in nested dicts."""
    while isinstance(batch, dict):
        batch = next(value for value in batch.values() if not isinstance(value, dict) or value)
    return len(batch)


def padded(batch: Any, size: int) -> Any:
    """The batch with its last sample repeated until it has ``size`` of them.

    Convolutions of another batch size may sum in another order. With one size for all, the
    forecast of a sample does not depend on who shares its batch, nor on the number of ranks.
    """
    if isinstance(batch, dict):
        return {key: padded(value, size) for key, value in batch.items()}
    missing = size - len(batch)
    if isinstance(batch, Tensor):
        return torch.cat([batch, batch[-1:].expand(missing, *batch.shape[1:])])
    return [*batch, *[batch[-1]] * missing]


class EvaluationLoop(BaseLoop, ABC):
    """Forecast every sample once, pass each to the metrics once.

    Hooks see the batch as the loader made it, and one output for each of its samples.

    Args:
        runner: The run.
        dataloader: Config of the loader.
        evaluator: Config of the metrics.
    """

    stage: str

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

    def add_postprocessor(self, name: str, postprocessor: Postprocessor) -> None:
        """Evaluate each forecast a second time, after a postprocessor.

        The scores are in ``postprocessed`` under the name after the loop.
        """
        evaluator = self.runner.build_evaluator(copy.deepcopy(self._metrics_config))
        evaluator.dataset_meta = self.evaluator.dataset_meta
        self.postprocessors[name] = (postprocessor, evaluator)

    def run(self) -> dict[str, float]:
        """Judge the whole split.

        Returns:
            The scores, the same on every rank.
        """
        runner, stage = self.runner, self.stage
        share_buffers(unwrap(runner.model))
        runner.call_hook(f"before_{stage}")
        runner.call_hook(f"before_{stage}_epoch")
        runner.model.eval()
        for index, batch in enumerate(self.dataloader):
            self.run_iter(index, batch)
        size = len(self.dataloader.dataset)
        for name, (_, evaluator) in self.postprocessors.items():
            self.postprocessed[name] = evaluator.evaluate(size)
        metrics = self.evaluator.evaluate(size)
        runner.call_hook(f"after_{stage}_epoch", metrics=metrics)
        runner.call_hook(f"after_{stage}")
        return metrics

    @torch.no_grad()
    def run_iter(self, index: int, batch: dict[str, Any]) -> None:
        """Forecast one batch and tally its samples."""
        runner, stage, size = self.runner, self.stage, self.dataloader.batch_size
        runner.call_hook(f"before_{stage}_iter", batch_idx=index, data_batch=batch)
        given = num_samples(batch)
        # the number of its first sample, so that with batches of one the ranks do not matter
        seed_everything(runner.seed, EVALUATION, index * size * runner.world_size + runner.rank)
        full = batch if given == size else padded(batch, size)
        outputs = runner.model.test_step(full)[:given]
        self.evaluator.process(data_samples=outputs, data_batch=batch)
        for postprocessor, evaluator in self.postprocessors.values():
            changed = [postprocessor(sample) for sample in outputs]
            evaluator.process(data_samples=changed, data_batch=batch)
        runner.call_hook(f"after_{stage}_iter", batch_idx=index, data_batch=batch, outputs=outputs)


@LOOPS.register_module()
class ExactValLoop(EvaluationLoop):
    """Choose between checkpoints of a run."""

    stage = "val"


@LOOPS.register_module()
class ExactTestLoop(EvaluationLoop):
    """Judge a run for the record."""

    stage = "test"
