"""Compare metrics with scikit-image on some samples of a test."""

from typing import Any

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from openstl_ext.metrics.base import SampleMetric
from openstl_ext.metrics.tallies import TOTAL, WEIGHT
from openstl_ext.registry import HOOKS, METRICS
from openstl_ext.value_types import Count


@HOOKS.register_module()
class MetricCheckHook(Hook):
    """Score some test samples by our SSIM and PSNR and by scikit-image, and log the difference.

    The first samples of the main process are compared, frame by frame.

    Args:
        num_samples: Number of samples.

    Attributes:
        differences: Largest absolute difference of a frame's score, by metric.
    """

    changes = "nothing"
    priority = "VERY_LOW"

    def __init__(self, *, num_samples: Count = 4) -> None:
        self.num_samples = num_samples
        self.differences: dict[str, float] = {}
        self._samples: list[Any] = []

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
        configs: Any = runner.cfg.test_evaluator
        for config in configs if isinstance(configs, list) else [configs]:
            if not hasattr(METRICS.build(config), "implementation"):
                continue
            ours, theirs = (
                METRICS.build({**config, "implementation": name})
                for name in ("torch", "scikit-image")
            )
            pair = (self._scores(metric) for metric in (ours, theirs))
            difference = float(np.nanmax(np.abs(np.subtract(*pair)), initial=0.0))
            self.differences[ours.name] = difference
            runner.logger.info(
                f"check of {ours.name}: differs from scikit-image by at most {difference:.2g} "
                f"{ours.unit} in a frame of {len(self._samples)} samples"
            )
        self._samples = []

    def _scores(self, metric: SampleMetric) -> np.ndarray:
        """Return the score of each frame, (N, T); NaN where there is none."""
        metric.process(None, self._samples)
        metric.evaluate(len(self._samples))
        tallies = metric.tallies
        with np.errstate(invalid="ignore", divide="ignore"):
            found: np.ndarray = tallies[:, TOTAL] / tallies[:, WEIGHT]
        return found
