"""Distances of learned features: LPIPS and FVD. Their networks are not part of this package."""

import hashlib
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from openstl_ext.errors import ConfigError, ShapeError, UserError
from openstl_ext.metrics.base import CHECKSUM, SampleMetric, Tally
from openstl_ext.metrics.frames import clipped
from openstl_ext.metrics.tallies import Pooling
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample
from openstl_ext.value_types import Positive

SIDE = 224
"""Height and width of the videos of an I3D detector."""
I3D_OPTIONS = {"rescale": False, "resize": False, "return_features": True}
"""Options of the published I3D file, which by default rescales videos and returns probabilities."""


def _filled(sample: Sample, side: str, data_range: float) -> Tensor:
    """Return float32 frames scaled to -1..1, of three channels; invalid pixels are 0 before."""
    frames = clipped(sample[side], (0.0, data_range)).float()  # type: ignore[literal-required]
    frames = torch.where(sample["valid"], frames, 0.0)
    frames = 2 * frames / data_range - 1
    if frames.shape[1] not in (1, 3):
        raise ConfigError(
            f"learned distances are of frames with 1 or 3 channels, these have {frames.shape[1]}; "
            "remove the metric"
        )
    return frames.expand(-1, 3, -1, -1)


@METRICS.register_module()
class LPIPS(SampleMetric):
    """Learned perceptual distance of frames, mean over frames and samples.

    It needs the packages lpips and torchvision, and the weights of the net, which torchvision
    downloads. Frames are clipped to the data range; one channel is repeated. Invalid pixels are 0
    on both sides.

    Args:
        net: ``alex``, ``vgg`` or ``squeeze``; scores of different nets cannot be compared.
        data_range: Largest value of the data, whose smallest is 0.

    Raises:
        UserError: If a package is not installed, or the weights cannot be downloaded.
        ShapeError: If frames are too small for the net.

    Source:
        Zhang et al. (arXiv:1801.03924); https://github.com/richzhang/PerceptualSimilarity
    """

    pools_units = True
    name = "lpips"
    unit = "1"
    higher_is_better = False

    def __init__(
        self, *, net: Literal["alex", "vgg", "squeeze"] = "alex", data_range: Positive = 1.0
    ) -> None:
        super().__init__()
        try:
            import lpips  # needs torchvision, which has no build for every torch
        except ImportError as error:
            raise UserError(
                f"LPIPS needs lpips and torchvision ({error}): pip install lpips torchvision"
            ) from error
        self.net, self.data_range = net, float(data_range)
        try:
            self._distance: Any = lpips.LPIPS(net=net, verbose=False).eval()
        except OSError as error:
            raise UserError(
                f"LPIPS: the weights of {net} cannot be downloaded ({error}); connect to the "
                "network once, or remove the metric"
            ) from error

    def measure(self, sample: Sample) -> Tally:
        pair = (_filled(sample, side, self.data_range) for side in ("forecast", "target"))
        forecast, target = pair
        try:
            distance = self._distance.to(target.device)(forecast, target).flatten()
        except RuntimeError as error:
            raise ShapeError(
                f"LPIPS: the net {self.net} fails on frames of {target.shape[-2]} x "
                f"{target.shape[-1]} pixels ({_reason(error)}); it needs larger ones, so remove "
                "the metric"
            ) from error
        scored = sample["valid"].flatten(1).any(dim=1)
        broken = torch.where(sample["valid"], sample["forecast"], 0.0).isnan().flatten(1).any(1)
        distance = torch.where(broken, torch.nan, distance)
        return Tally(total=torch.where(scored, distance, 0.0), weight=scored.double())

    def convention(self) -> str:
        return f"{super().convention()} Net {self.net}, data range {self.data_range:g}."


@METRICS.register_module()
class FVD(SampleMetric):
    """Frechet video distance: that of the features of all forecasts and of all targets.

    It needs a detector: a TorchScript file that maps videos (B, 3, T, 224, 224) of values in -1..1
    to features (B, D), such as the published ``i3d_torchscript.pt``, whose options are set so that
    it does that. A TorchScript file is a program, so take it from a source that you trust. Frames
    are clipped to the data range and resized; one channel is repeated; I3D needs ten frames.
    Thousands of samples are needed, and scores of test sets of different sizes cannot be compared.
    It is no mean of samples: it has no interval, and its tallies are not kept.

    Args:
        detector: The TorchScript file. The checksum that a record has in its place measures
            nothing.
        data_range: Largest value of the data, whose smallest is 0.

    Raises:
        ConfigError: If there is no such file, or it cannot be read.

    Source:
        Unterthiner et al., Towards accurate generative models of video (arXiv:1812.01717).
    """

    axes = ()
    pools_units = True
    is_paired = False
    name = "fvd"
    unit = "1"
    higher_is_better = False

    def __init__(self, *, detector: str, data_range: Positive = 1.0) -> None:
        super().__init__()
        self.data_range = float(data_range)
        self._detector: Any = None
        self._options: dict[str, bool] = {}
        if detector.startswith(CHECKSUM):
            self.digest = detector.removeprefix(CHECKSUM)
            return
        if not Path(detector).is_file():
            raise ConfigError(
                f"FVD: detector={detector!r} does not exist; it is a TorchScript file that maps "
                "videos to features, such as the published i3d_torchscript.pt"
            )
        try:
            self._detector = torch.jit.load(detector, map_location="cpu").eval()
        except RuntimeError as error:
            raise ConfigError(f"FVD: {detector} is no TorchScript file; fetch it again") from error
        known = {argument.name for argument in self._detector.forward.schema.arguments}
        self._options = {name: value for name, value in I3D_OPTIONS.items() if name in known}
        self.digest = hashlib.sha256(Path(detector).read_bytes()).hexdigest()[:12]

    def contents(self) -> dict[str, str]:
        return {"detector": f"{CHECKSUM}{self.digest}"}

    def convention(self) -> str:
        text = f"{super().convention()} Detector {self.digest}"
        return f"{text}, data range {self.data_range:g}."

    def measure(self, sample: Sample) -> Tally:
        found = []
        for side in ("forecast", "target"):
            frames = _filled(sample, side, self.data_range)
            frames = F.interpolate(frames, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
            video = frames.transpose(0, 1)[None]
            found.append(self._features(video))
        features = torch.cat(found)
        one = features.new_ones(())
        return Tally(total=features.new_zeros(()), weight=one, more=tuple(features.unbind()))

    def _features(self, video: Tensor) -> Tensor:
        """Return the features (D,) of a video (1, 3, T, 224, 224).

        Raises:
            ConfigError: If the detector fails, as on a video that is too short for it.
        """
        if self._detector is None:
            raise ConfigError(
                f"FVD: detector={CHECKSUM}{self.digest} is the checksum of a record; give the "
                "file, whose name is in the config of the run"
            )
        try:
            found: Tensor = self._detector.to(video.device)(video, **self._options)
        except (RuntimeError, torch.jit.Error) as error:
            raise ConfigError(
                f"FVD: the detector fails on a video of {video.shape[2]} frames "
                f"({_reason(error)}); give a detector of such videos, or remove the metric"
            ) from error
        if found.ndim != 2 or len(found) != 1:
            raise ConfigError(
                f"FVD: the detector returns {tuple(found.shape)} for one video, expected (1, D); "
                "give a detector that returns one vector per video"
            )
        return found[0].double()

    def count(self, tallies: np.ndarray) -> dict[str, int]:
        """Return the number of features: fewer samples have a covariance without full rank."""
        return {"num_features": (tallies.shape[1] - 2) // 2}

    def pooling(self, tallies: np.ndarray) -> Pooling:
        """Return the distance (1) and the weight of tallies (N, 2 + 2 D)."""
        forecast, target = np.split(tallies[:, 2:].reshape(len(tallies), -1), 2, axis=1)

        def pooled(times: np.ndarray | None) -> np.ndarray:
            chosen = np.ones(len(tallies)) if times is None else times
            return np.array([frechet_distance(forecast, target, chosen), 1.0])

        return pooled

    def span(self, tallies: np.ndarray) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def _intervals(self, tallies: np.ndarray) -> dict[str, Any]:  # noqa: ARG002
        return {"interval": None}  # each resampled set would need roots of large matrices


def _reason(error: Exception) -> str:
    """Return the last line of an error; that of TorchScript begins with the stack."""
    return str(error).strip().rpartition("\n")[2]


def frechet_distance(one: np.ndarray, other: np.ndarray, times: np.ndarray) -> float:
    """Return the Frechet distance of two sets of features, as if each were normal.

    Args:
        one: Features (N, D).
        other: Features (N, D).
        times: How often each sample counts (N,).

    Returns:
        |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)); NaN for fewer than two samples, or if
        a feature is.

    Source:
        Dowson and Landau, The Frechet distance between multivariate normal distributions, 1982.
    """
    if times.sum() < 2 or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return math.nan
    means, covariances = [], []
    for features in (one, other):
        mean = np.average(features, axis=0, weights=times)
        means.append(mean)
        covariances.append(np.cov(features, rowvar=False, fweights=times.astype(int), ddof=1))
    first, second = (np.atleast_2d(c) for c in covariances)
    # the trace of the root is the sum of the singular values of the product of the roots
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ second @ root).clip(0)
    gap = float(np.square(means[0] - means[1]).sum())
    return gap + float(np.trace(first) + np.trace(second) - 2 * np.sqrt(product).sum())
