"""Calibrate prediction intervals before the test."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner

from openstl_ext.atomic_io import sha256_of
from openstl_ext.calibration import Calibration, ScoreCounts, check_coverage
from openstl_ext.engine.evaluation import num_samples, padded
from openstl_ext.engine.loops import Seeded
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import ConfigError
from openstl_ext.postprocessing import ConformalPostprocessor, ends_of
from openstl_ext.progress_line import tracked
from openstl_ext.registry import HOOKS
from openstl_ext.structures import Sample

NAME = "conformal"
"""Name of the postprocessor in records and tables."""


@HOOKS.register_module()
class ConformalCalibrationHook(Hook):
    """Compute a margin per horizon from samples that are neither in training nor in test.

    The score of a pixel is the distance of its target outside the interval, negative inside. The
    margin is a high quantile of the scores. The test then evaluates the plain forecasts and the
    calibrated ones, which have scores of their own in the record. The coverage is guaranteed for
    exchangeable pixels: blocks drawn at random over the region of the test are nearly
    exchangeable, other continents are not.

    Args:
        dataset: Config of the calibration split; without a type, what differs from the test
            dataset, as in ``dict(split="calibration")``.
        coverage: Share of the targets that should lie inside the interval, that of its levels.
        levels: Lower and upper quantile level of the interval.
        filename: File of the margins in the work directory, for ``openstl-ext predict``; those of
            other weights are kept, and the checksum of the weights is added to the name.

    Raises:
        ConfigError: If the method does not predict these levels.

    Source:
        Romano, Patterson and Candes, Conformalized quantile regression (2019), with pixels as
        samples and one margin for both ends.
    """

    changes = "scores"
    priority = "BELOW_NORMAL"  # after averaged weights, if any, are in place

    def __init__(
        self,
        *,
        dataset: dict[str, Any],
        coverage: float = 0.95,
        levels: tuple[float, float] = (0.025, 0.975),
        filename: str = "calibration.json",
    ) -> None:
        self.dataset, self.filename = dataset, filename
        self.levels = (float(levels[0]), float(levels[1]))
        self.coverage = check_coverage(coverage, self.levels)

    def before_run(self, runner: Runner) -> None:
        """Check the method before the training, not after it."""
        method: Any = unwrap(runner.model)
        if not getattr(method, "quantile_levels", ()):
            raise ConfigError(
                f"{type(method).__name__} predicts no intervals to calibrate; use a net with "
                "quantiles and quantile_levels, or remove ConformalCalibrationHook from "
                "custom_hooks"
            )
        ends_of(self.levels, method.quantile_levels)

    @torch.no_grad()
    def before_test_epoch(self, runner: Runner) -> None:
        tested = {} if "type" in self.dataset else runner.cfg.test_dataloader.dataset
        loader = runner.build_dataloader(
            {
                **runner.cfg.test_dataloader,
                "persistent_workers": False,
                "dataset": {
                    "type": Seeded,
                    "dataset": {**tested, **self.dataset},
                    "seed": runner.seed,
                },
            },
            seed=runner.seed,
        )
        method: Any = unwrap(runner.model)
        ends = ends_of(self.levels, method.quantile_levels)
        counts = ScoreCounts(len(loader.dataset[0]["data_samples"]["frames"]))
        runner.model.eval()
        for batch in tracked(loader, "calibration", "batches"):
            size = num_samples(batch)
            # batches of one size, as in the test, so that the number of processes has no effect
            for sample in runner.model.test_step(padded(batch, loader.batch_size))[:size]:
                count(counts, sample, ends)
        all_reduce(torch.from_numpy(counts.counts))  # in place
        loaded = runner.cfg.get("load_from")
        calibration = Calibration(
            coverage=self.coverage,
            levels=self.levels,
            margin=counts.margins(self.coverage),
            num_valid=tuple(int(n) for n in counts.counts.sum(axis=1)),
            about={"samples": len(loader.dataset), "checkpoint": loaded},
            sha256=sha256_of(Path(loaded)) if loaded and Path(loaded).is_file() else None,
            quantile_levels=tuple(method.quantile_levels),
        )
        postprocessor = ConformalPostprocessor(calibration, method.quantile_levels)
        runner.test_loop.add_postprocessor(NAME, postprocessor)
        if runner.rank == 0:
            calibration.write(calibration.place(Path(runner.work_dir) / self.filename))
        shown = ", ".join("none" if m is None else f"{m:.4g}" for m in calibration.margin)
        runner.logger.info(f"intervals are widened by {shown} to cover {self.coverage:.0%}")


def count(counts: ScoreCounts, sample: Sample, ends: tuple[int, int]) -> None:
    """Count the scores of the valid pixels of a sample."""
    target = sample["target"]
    lower, upper = (sample["quantiles"][end] for end in ends)
    outside = torch.maximum(lower - target, target - upper)
    for column, (scores, valid) in enumerate(zip(outside, sample["valid"], strict=True)):
        counts.add(column, np.asarray(scores[valid].float().cpu().numpy()))
