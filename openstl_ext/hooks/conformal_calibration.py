"""Widen intervals, before the test, to what they promise."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from openstl_ext.calibration import Calibration, ScoreCounts, check_coverage
from openstl_ext.engine.evaluation import num_samples, padded
from openstl_ext.engine.loops import Seeded
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import ConfigError
from openstl_ext.registry import HOOKS
from openstl_ext.structures import Sample


@HOOKS.register_module()
class ConformalCalibrationHook(Hook):
    """Learn a margin for each horizon from samples that neither training nor test has seen.

    A pixel's score is how far its truth lies outside the interval, negative inside; the margin is
    a high quantile of the scores. The test then judges both intervals, ``lower`` to ``upper`` and
    ``lower_calibrated`` to ``upper_calibrated``. The promise holds for exchangeable pixels: blocks
    drawn at random over the region of the test are near that, other continents are not.

    Args:
        dataset: Config of the calibration split; without a type, what differs from the test
            dataset, as in ``dict(split="calibration")``.
        coverage: Share of the truth that should lie within.
        filename: Where the margins are left in the work directory, for ``openstl-ext predict``.

    Source:
        Romano, Patterson and Candes, Conformalized quantile regression (2019), with pixels as
        samples and one margin for both ends.
    """

    priority = "BELOW_NORMAL"  # after averaged weights, if any, are in place

    def __init__(
        self,
        *,
        dataset: dict[str, Any],
        coverage: float = 0.95,
        filename: str = "calibration.json",
    ) -> None:
        self.dataset, self.filename = dataset, filename
        self.coverage = check_coverage(coverage)

    def before_run(self, runner: Runner) -> None:
        """Refuse before the training what would fail after it."""
        if not hasattr(unwrap(runner.model), "calibrate"):
            raise ConfigError(
                f"{type(unwrap(runner.model)).__name__} has no intervals to calibrate; remove "
                "ConformalCalibrationHook from custom_hooks"
            )

    @torch.no_grad()
    def before_test_epoch(self, runner: Runner) -> None:
        judged = {} if "type" in self.dataset else runner.cfg.test_dataloader.dataset
        dataset = {**judged, **self.dataset}
        loader = runner.build_dataloader(
            {
                **runner.cfg.test_dataloader,
                "persistent_workers": False,
                "dataset": {"type": Seeded, "dataset": dataset, "seed": runner.seed},
            },
            seed=runner.seed,
        )
        known = ScoreCounts(len(loader.dataset[0]["data_samples"]["frames"]))
        runner.model.eval()
        for batch in loader:
            given = num_samples(batch)
            # of one size, as in the test, so that the number of processes does not matter
            for sample in runner.model.test_step(padded(batch, loader.batch_size))[:given]:
                count(known, sample)
        all_reduce(torch.from_numpy(known.counts))  # in place
        found = Calibration(
            coverage=self.coverage,
            margin=known.margins(self.coverage),
            num_valid=tuple(int(n) for n in known.counts.sum(axis=1)),
            about={"samples": len(loader.dataset), "checkpoint": runner.cfg.get("load_from")},
        )
        method: Any = unwrap(runner.model)
        method.calibrate(found.margins)
        if runner.rank == 0:
            found.write(Path(runner.work_dir) / self.filename)
        told = ", ".join("none" if m is None else f"{m:.4g}" for m in found.margin)
        runner.logger.info(f"intervals are widened by {told} to cover {self.coverage:.0%}")


def count(known: ScoreCounts, sample: Sample) -> None:
    """Count the scores of the valid pixels of a sample.

    Raises:
        ConfigError: If it has no interval.
    """
    if "lower" not in sample or "upper" not in sample:
        raise ConfigError(
            "ConformalCalibrationHook needs forecasts with an interval, and this net says none; "
            "take a net with quantiles, or remove the hook from custom_hooks"
        )
    target = sample["target"]
    outside = torch.maximum(sample["lower"] - target, target - sample["upper"])
    for column, (scores, valid) in enumerate(zip(outside, sample["valid"], strict=True)):
        known.add(column, _numpy(scores[valid]))


def _numpy(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
