"""Postprocessors: changes of a forecast between the method and metrics, files or figures."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from openstl_ext.calibration import Calibration
from openstl_ext.errors import ConfigError


class ConformalPostprocessor:
    """Move both ends of an interval outwards by a margin per horizon.

    Args:
        calibration: Margins and the levels of the interval.
        quantile_levels: Levels that the method predicts.

    Shape:
        - fields["quantiles"]: (Q, T, C, H, W), with or without leading axes. Horizons without a
          margin become NaN.

    Raises:
        ConfigError: If the method does not predict both ends.

    Source:
        Romano, Patterson and Candes, Conformalized quantile regression (2019), with pixels as
        samples and one margin for both ends.
    """

    def __init__(self, calibration: Calibration, quantile_levels: Sequence[float]) -> None:
        self.lower, self.upper = ends_of(calibration.levels, quantile_levels)
        self.margins = tuple(calibration.margins)

    def __call__(self, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
        quantiles = fields["quantiles"].clone()
        margin = torch.full((quantiles.shape[-4], 1, 1, 1), torch.nan).to(quantiles)
        known = self.margins[: len(margin)]
        margin[: len(known), 0, 0, 0] = torch.tensor(known).to(quantiles)
        quantiles[..., self.lower, :, :, :, :] -= margin
        quantiles[..., self.upper, :, :, :, :] += margin
        return {**fields, "quantiles": quantiles}


def ends_of(levels: Sequence[float], predicted: Sequence[float]) -> tuple[int, int]:
    """Return the positions of the ends of an interval among the levels of a method.

    Raises:
        ConfigError: If the method does not predict one of them.
    """
    found = [
        k for level in levels for k, known in enumerate(predicted) if abs(known - level) < 1e-6
    ]
    if len(found) != 2:
        shown = ", ".join(f"{level:g}" for level in predicted) or "none"
        raise ConfigError(
            f"the interval from quantile {levels[0]:g} to {levels[1]:g} cannot be calibrated: the "
            f"method predicts the quantiles {shown}"
        )
    return found[0], found[1]
