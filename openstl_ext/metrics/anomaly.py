"""Correlation of anomalies from a climatology, as in the verification of weather forecasts."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.base import SampleMetric, Tally
from openstl_ext.metrics.frames import area, as_float, map_sum
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


@METRICS.register_module()
class AnomalyCorrelation(SampleMetric):
    """Correlation of the anomalies of forecast and target, mean over maps and samples.

    Anomalies are differences from a climatology; they are not centred again. Pixels count by their
    area. A map without variation of forecast or target, or without valid pixels, is not counted.

    Args:
        climatology: ``.npy`` with frames (C, H, W), the same for all leads, or (T, C, H, W), in the
            unit of the data; an axis of length 1 stands for all. ``openstl-ext data climatology
            CONFIG`` writes the mean of the training targets.

    Shape:
        - sample["forecast"], sample["target"]: (T, C, H, W); scores per lead and channel.

    Raises:
        ConfigError: If the file is missing or no array of such a shape.

    Source:
        Rasp et al., WeatherBench (arXiv:2002.00469), ``compute_weighted_acc``.
    """

    axes = ("lead", "channel")
    pools_units = True
    name = "acc"
    unit = "1"
    higher_is_better = True

    def __init__(self, *, climatology: str) -> None:
        super().__init__()
        path = Path(climatology)
        try:
            values = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ConfigError(
                f"AnomalyCorrelation: climatology={climatology!r} cannot be read ({error}); write "
                f"it with `openstl-ext data climatology CONFIG --out {climatology}`"
            ) from error
        if values.ndim not in (3, 4) or values.dtype.kind not in "fiu":
            raise ConfigError(
                f"AnomalyCorrelation: {climatology} has shape {values.shape} and type "
                f"{values.dtype}, expected numbers (C, H, W) or (T, C, H, W)"
            )
        self.climatology = torch.from_numpy(values.astype(np.float32))
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]

    def measure(self, sample: Sample) -> Tally:
        mean = self.climatology.to(sample["target"].device)
        given, wanted = mean.shape[-3:], sample["target"].shape[1:]
        if not all(one in (1, other) for one, other in zip(given, wanted, strict=True)):
            raise ConfigError(
                f"AnomalyCorrelation: the climatology has frames {tuple(mean.shape[-3:])}, the "
                f"targets {tuple(sample['target'].shape[1:])}; write it again for these data"
            )
        forecast, target = (as_float(sample[side]) - mean for side in ("forecast", "target"))
        weight = area(sample)

        def total(product: Tensor) -> Tensor:
            return map_sum(torch.where(sample["valid"], product.double() * weight, 0.0))

        norm = (total(forecast.square()) * total(target.square())).sqrt()
        scored = norm != 0
        found = total(forecast * target) / torch.where(scored, norm, 1.0)
        return Tally(total=torch.where(scored, found, 0.0), weight=scored.double())

    def convention(self) -> str:
        return f"{super().convention()} Climatology {self.digest}."
