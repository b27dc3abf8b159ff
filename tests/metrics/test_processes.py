"""Every score of frames has the same bits on any number of processes."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.metrics import base
from openstl_ext.metrics.learned import FVD
from tests.metrics.samples import built
from tests.metrics.test_precision import FRAME_METRICS, close_samples


class MeanPixels(nn.Module):
    """Detector whose features are the means of the first two frames."""

    def forward(self, video: Tensor) -> Tensor:
        return video.mean(dim=(1, 3, 4))[:, :2]


def on(world: int, metrics: list[Any], samples: list[Any], patch: pytest.MonkeyPatch) -> list[Any]:
    """Return the scores of each rank; rank r measures samples r, r + W, r + 2 W ..."""
    for rank in range(world):
        for lone in samples[rank::world]:
            metrics[rank].process(None, [lone])
    held = [metric.kept.array() for metric in metrics[:world]]
    patch.setattr(base, "all_gather_object", lambda _: held)
    return [metric.evaluate(len(samples)) for metric in metrics[:world]]


@pytest.mark.parametrize("world", [2, 3, 4])
@pytest.mark.parametrize("name", FRAME_METRICS)
def test_every_rank_has_the_scores_of_one_process(
    name: str, world: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three samples: the fourth process has none, and must name the same scores."""
    samples = close_samples()
    (alone,) = on(1, [built(name)], samples, monkeypatch)
    for scores in on(world, [built(name) for _ in range(world)], samples, monkeypatch):
        assert list(scores) == list(alone)
        assert torch.tensor(list(scores.values())).equal(torch.tensor(list(alone.values())))


def test_fvd_has_the_same_bits_on_three_processes(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.jit.script(MeanPixels()).save(str(tmp_path / "detector.pt"))
    metrics = [FVD(detector=str(tmp_path / "detector.pt")) for _ in range(4)]
    samples = close_samples()
    (alone,) = on(1, metrics, samples, monkeypatch)
    assert all(scores == alone for scores in on(3, metrics[1:], samples, monkeypatch))
