"""Correlation of anomalies from a climatology, as in the verification of weather forecasts."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from openstl_ext.errors import ConfigError
from openstl_ext.metrics.area import AreaMetric
from openstl_ext.metrics.base import CHECKSUM, Tally
from openstl_ext.metrics.frames import area, as_float, map_sum
from openstl_ext.registry import METRICS
from openstl_ext.structures import Sample


@METRICS.register_module()
class AnomalyCorrelation(AreaMetric):
    """Correlation of the anomalies of forecast and target, mean over maps and samples.

    Anomalies are differences from a climatology; they are not centred. Pixels count by their
    area, and not where the climatology is NaN because no training target is known. A map without
    variation of forecast or target, or without valid pixels, is not counted.

    Args:
        climatology: ``.npy`` with frames (C, H, W), the same for all leads, or (T, C, H, W), in the
            unit of the data; an axis of length 1 stands for all. ``openstl-ext data climatology
            CONFIG`` writes the mean of the training targets. The checksum that a record has in its
            place is enough to compute scores of kept tallies, and measures nothing.
        latitudes: As in ``AreaMetric``.

    Shape:
        - sample["forecast"], sample["target"]: (T, C, H, W); scores per lead and channel.

    Raises:
        ConfigError: If the file is missing or no array of such a shape.

    Source:
        Rasp et al., WeatherBench 2 (arXiv:2308.15560), anomaly correlation coefficient.

    Deviations:
        ``compute_weighted_acc`` of the first WeatherBench (arXiv:2002.00469) takes the mean
        anomaly of all times and places off first, pools all times, and counts from the mean of the
        test targets.
    """

    axes = ("lead", "channel")
    pools_units = True
    name = "acc"
    unit = "1"
    higher_is_better = True

    def __init__(self, *, climatology: str, latitudes: tuple[float, float] | None = None) -> None:
        super().__init__(latitudes=latitudes)
        self.climatology: Tensor | None = None
        if climatology.startswith(CHECKSUM):
            self.digest = climatology.removeprefix(CHECKSUM)
            return
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
        if self.climatology is None:
            raise ConfigError(
                f"AnomalyCorrelation: climatology={CHECKSUM}{self.digest} is the checksum of a "
                "record; give the file, whose name is in the config of the run"
            )
        mean = self.climatology.to(sample["target"].device)
        given, wanted = tuple(mean.shape), tuple(sample["target"].shape)
        fits = zip((1, *given)[-4:], wanted, strict=True)
        if not all(one in (1, other) for one, other in fits):
            raise ConfigError(
                f"AnomalyCorrelation: the climatology has frames {given}, the targets {wanted}; "
                "write it again for these data"
            )
        known = sample["valid"] & ~mean.isnan()
        forecast, target = (as_float(sample[side]) - mean for side in ("forecast", "target"))
        weight = area(sample)

        def total(product: Tensor) -> Tensor:
            return map_sum(torch.where(known, product.double() * weight, 0.0))

        norm = (total(forecast.square()) * total(target.square())).sqrt()
        scored = norm != 0
        found = total(forecast * target) / torch.where(scored, norm, 1.0)
        return Tally(total=torch.where(scored, found, 0.0), weight=scored.double())

    def contents(self) -> dict[str, str]:
        return {"climatology": f"{CHECKSUM}{self.digest}"}

    def convention(self) -> str:
        return f"{super().convention()} Climatology {self.digest}."
