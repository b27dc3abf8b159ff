"""Power spectra of truth and forecasts: which scales a forecast has lost or invented."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openstl_ext.errors import DataError, UserError
from openstl_ext.visualization.chart import Chart, Line, draw_charts
from openstl_ext.visualization.compared import Compared
from openstl_ext.visualization.grid import step_label, step_unit

Array = NDArray[np.float64]
MOST_LEADS = 3
DECADES = 1e8
"""Powers below the largest over this are cut off; those of a smooth field are rounding errors."""
LEAST_SIDE = 4
"""Smallest side of a frame in pixels, for which a spectrum has two wave numbers."""


Power = Callable[[Array], Array]
"""Function from frames (..., H, W) to their power (..., K) at the wave numbers from 0, such as
``metrics.spectrum.radial_spectrum``."""


@dataclass(frozen=True)
class Spectra:
    """Mean power of the truth and of each method, lead by lead.

    Args:
        waves: Wave numbers from 1, (K,).
        truth: Power of the truth, (T', K).
        methods: Power of each method by name.
        num_frames: Frames of each lead that have a spectrum.
        num_gaps: Frames of all leads that were left out, because pixels are missing.
    """

    waves: Array
    truth: Array
    methods: dict[str, Array]
    num_frames: list[int]
    num_gaps: int


def spectra_of(samples: Iterable[Compared], power_of: Power, channel: int = 0) -> Spectra:
    """Average the spectra of one channel over samples, lead by lead.

    A frame with a missing pixel in the truth or in any forecast is left out for all: it has no
    spectrum, and each mean is over the same frames.

    Args:
        samples: Samples of the same methods.
        power_of: Computes the power of frames.
        channel: Index of the channel.

    Raises:
        DataError: If no frame is complete, or frames have fewer than 4 pixels.
    """
    sums: dict[str, Array] = {}
    known_of_all: NDArray[np.int64] | None = None
    num_gaps = 0
    for sample in samples:
        frames = sample.frames
        first = next(iter(frames.values()))
        found = {"": first.target, **{name: s.forecast for name, s in frames.items()}}
        found = {name: x[:, channel] for name, x in found.items()}
        if max(first.target.shape[-2:]) < LEAST_SIDE:
            raise DataError(
                f"frames of {first.target.shape[-2:]} pixels have no spectrum; it needs a side of "
                f"at least {LEAST_SIDE}"
            )
        known = np.all([np.isfinite(x).all(axis=(1, 2)) for x in found.values()], axis=0)
        num_gaps += int((~known).sum())
        for name, x in found.items():
            whole = np.where(known[:, None, None], x, 0.0).astype(np.float64)
            # centred, so that rounding of a large mean leaves no power at other wave numbers
            power = power_of(whole - whole.mean(axis=(1, 2), keepdims=True))[:, 1:]
            sums[name] = sums.get(name, 0) + power
        known_of_all = known + (0 if known_of_all is None else known_of_all)
    if known_of_all is None or not known_of_all.any():
        raise DataError(
            "no frame is complete, and a frame with missing pixels has no spectrum; draw a data "
            "set without gaps"
        )
    with np.errstate(invalid="ignore"):
        means = {name: total / known_of_all[:, None] for name, total in sums.items()}
    truth = means.pop("")
    waves = np.arange(1.0, truth.shape[1] + 1)
    return Spectra(waves, truth, means, known_of_all.tolist(), num_gaps)


def draw_spectra(
    spectra: Spectra, about: dict[str, Any], *, leads: Sequence[int] = (), channel: str = ""
) -> bytes:
    """Draw the spectra of some leads side by side, as a PNG.

    Args:
        spectra: The spectra.
        about: Facts of the data: ``lead``, ``unit``.
        leads: Leads from 1; by default the first, the middle and the last.
        channel: Name of the channel, where there are several.

    Raises:
        UserError: If a lead does not exist or has no complete frame.
    """
    last = len(spectra.truth)
    shown = list(leads) or sorted({1, (last + 1) // 2, last})[:MOST_LEADS]
    for lead in shown:
        if not 1 <= lead <= last:
            raise UserError(f"there is no lead {lead}; the forecasts have leads from 1 to {last}")
        if not spectra.num_frames[lead - 1]:
            raise UserError(f"no frame of lead {lead} is complete; choose another lead")
    powers = np.concatenate([power.ravel() for power in (spectra.truth, *spectra.methods.values())])
    top = float(np.nanmax(powers))
    lowest = top / DECADES if np.nanmin(powers) < top / DECADES else None
    charts = [_chart(spectra, lead, about, channel) for lead in shown]
    charts = [replace(chart, lowest=lowest) for chart in charts]
    return draw_charts(charts, one_scale=True)


def _chart(spectra: Spectra, lead: int, about: dict[str, Any], channel: str) -> Chart:
    row, unit = lead - 1, str(about.get("unit") or "1")
    waves = spectra.waves.tolist()
    time = step_unit(about.get("lead") or ())
    when = step_label(lead, about.get("lead") or ()) + ("" if time == "frame" else f" {time}")
    note = f"{spectra.num_frames[row]} frames"
    if spectra.num_gaps:
        note += f"; {spectra.num_gaps} with gaps left out"
    lines = [Line(name="truth", x=waves, y=spectra.truth[row].tolist(), kind="truth")]
    lines += [
        Line(name=name, x=waves, y=power[row].tolist()) for name, power in spectra.methods.items()
    ]
    return Chart(
        title=f"{channel}, {when}" if channel else when,
        note=note,
        lines=tuple(lines),
        x_label="wave number (waves per longer side)",
        y_label="power" if unit == "1" else f"power (({unit})^2)",
        log="xy",
        ticks=tuple((k, f"{k:g}") for k in _powers(len(spectra.waves))),
    )


def _powers(last: int) -> list[int]:
    """Return 1, 2, 4 ... up to a wave number."""
    return [2**k for k in range(last.bit_length()) if 2**k <= last]
