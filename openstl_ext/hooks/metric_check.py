"""Compare metrics with scikit-image on some samples of a test."""

from typing import Any

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.tallies import TOTAL, WEIGHT
from openstl_ext.registry import HOOKS, METRICS, constructor_arguments
from openstl_ext.value_types import Count


@HOOKS.register_module()
class MetricCheckHook(Hook):
    """Score some test samples by our SSIM and PSNR and by scikit-image, and log the difference.

    The first samples of the main process are compared, frame by frame.

    Args:
        num_samples: Number of samples.

    Attributes:
        differences: Largest absolute difference of a frame's score, by metric.

    Raises:
        ConfigError: If no metric of the test has an ``implementation``.
    """

    changes = "nothing"
    priority = "VERY_LOW"

    def __init__(self, *, num_samples: Count = 4) -> None:
        self.num_samples = num_samples
        self.differences: dict[str, float] = {}
        self._samples: list[Any] = []

    def before_test(self, runner: Runner) -> None:
        if not self._configs(runner):
            raise ConfigError(
                "--check-metrics: no metric of the test is one of scikit-image; add PSNR, SSIM or "
                "SSIMOpenSTL to test_evaluator, or leave it out"
            )

    def before_test_epoch(self, runner: Runner) -> None:  # noqa: ARG002
        self._samples = []

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        del runner, batch_idx, data_batch
        self._samples += list(outputs)[: self.num_samples - len(self._samples)]

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        del metrics
        if not is_main_process() or not self._samples:
            return
        for config in self._configs(runner):
            ours, theirs = (
                METRICS.build({**config, "implementation": name})
                for name in ("torch", "scikit-image")
            )
            difference = _largest_difference(*(self._scores(metric) for metric in (ours, theirs)))
            self.differences[ours.name] = difference
            runner.logger.info(
                f"check of {ours.name}: differs from scikit-image by at most {difference:.2g}"
                f"{'' if ours.unit == '1' else f' {ours.unit}'} in a frame, number of samples "
                f"{len(self._samples)}"
            )
        self._samples = []

    @staticmethod
    def _configs(runner: Runner) -> list[dict[str, Any]]:
        """Return the configs of the test's metrics that scikit-image has too."""
        configs: Any = runner.cfg.test_evaluator
        configs = configs if isinstance(configs, list) else [configs]
        return [
            c
            for c in configs
            if "implementation" in constructor_arguments(METRICS.get(c["type"]))[0]
        ]

    def _scores(self, metric: SampleMetric) -> np.ndarray:
        """Return the score of each frame, (N, T); NaN where there is none.

        Only this process has the samples, so nothing is gathered.
        """
        metric.process(None, self._samples)
        tallies = metric.kept.array()
        with np.errstate(invalid="ignore", divide="ignore"):
            found: np.ndarray = tallies[:, TOTAL] / tallies[:, WEIGHT]
        return found


def _largest_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference of a score; infinite where only one of two is a number."""
    gap = np.where(np.isnan(ours) & np.isnan(theirs), 0.0, np.abs(ours - theirs))
    return float(np.where(np.isnan(gap), np.inf, gap).max(initial=0.0))
