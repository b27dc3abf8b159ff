"""Draw the wavelengths of the bands of sensors, on an axis with gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from openstl_ext.visualization.legend import Legend
from openstl_ext.visualization.page import Page, fitted, text_width
from openstl_ext.visualization.style import FAINT, INK

Kind = Literal["learned", "interpolated", "none"]

FILLS: dict[str, str] = {"learned": "#56b4e9", "interpolated": "#e69f00", "none": "#ffffff"}
"""Colours of the kinds of projections, distinct for colour-blind readers (Okabe and Ito)."""
WORDS: dict[str, str] = {
    "learned": "learned projection",
    "interpolated": "interpolated projection",
    "none": "no projection",
}
EDGE = "#444444"
TITLE_WORDS, TITLE_SIZE = "Wavelengths of the bands of sensors", 9.5
MARGIN, TITLE, AXIS = 28, 36, 56  # edges, first line, ticks with the name of the axis
OPTICAL, NARROW, BREAK = 1040, 150, 34  # widths of the ranges, and of the gap between two
LABEL, LANE, ROW = 6.0, 30, 16  # size of band names; height of a lane; between sensors
BAR = 12  # height of a bar
LEAST = 4  # smallest width of a bar, in pixels
LONGEST = 300  # largest width of a name
OPTICAL_END, RADAR_START = 4_000, 1_000_000
"""Wavelengths in nm: thermal infrared is between them."""
MICROMETRE, MILLIMETRE = 1e3, 1e6
TICKS = (400, 500, 600, 700, 800, 1000, 1250, 1500, 2000, 2500, 3000, 4000)


@dataclass(frozen=True)
class BandSpan:
    """One band of a sensor.

    Args:
        name: Name in the product.
        min_nm: Shortest wavelength, in nanometres.
        max_nm: Longest wavelength, in nanometres.
        kind: Whether its projection is learned, interpolated, or does not exist.
    """

    name: str
    min_nm: float
    max_nm: float
    kind: Kind


@dataclass(frozen=True)
class SensorSpans:
    """Bands of one sensor.

    Args:
        name: Name of the sensor.
        bands: Its bands.
    """

    name: str
    bands: tuple[BandSpan, ...]


@dataclass(frozen=True)
class Range:
    """One part of the axis, logarithmic.

    Args:
        name: Name of the range, with its unit.
        low: Wavelength at the left edge, in nanometres.
        high: Wavelength at the right edge.
        left: Left edge on the page, in pixels.
        width: Width on the page.
        unit_nm: Nanometres per unit of the ticks.
        ticks: Wavelengths with a number, in nanometres.
    """

    name: str
    low: float
    high: float
    left: int
    width: int
    unit_nm: float
    ticks: tuple[float, ...]

    def place(self, wavelength: float) -> float:
        """Return the position of a wavelength on the page."""
        share = np.log(wavelength / self.low) / np.log(self.high / self.low)
        return self.left + float(share) * self.width


def spectrum_figure(sensors: Sequence[SensorSpans]) -> Page:
    """Draw each sensor as rows of bars over the wavelength: optical, thermal and radar.

    Bands that overlap are in lanes of their own. Only ranges with a band are drawn.

    Args:
        sensors: Sensors with their bands, from top to bottom.
    """
    sensors = [_with_fitted_names(sensor) for sensor in sensors]
    names = max(text_width(sensor.name, 7.5) for sensor in sensors) + 18
    ranges = ranges_of([band for sensor in sensors for band in sensor.bands], MARGIN + names)
    right = ranges[-1].left + ranges[-1].width
    rows = [lanes_of(sensor, ranges) for sensor in sensors]
    heights = [ROW + LANE * (1 + max(lane for _, lane in row)) for row in rows]
    bottom = MARGIN + TITLE + sum(heights)
    kinds = [k for k in FILLS if any(b.kind == k for s in sensors for b in s.bands)]
    legend = Legend(tuple((FILLS[kind], WORDS[kind]) for kind in kinds), right - MARGIN)
    width = max(right + 20, MARGIN + text_width(TITLE_WORDS, TITLE_SIZE))
    page = Page(width + MARGIN, bottom + AXIS + legend.height + MARGIN)
    page.text(MARGIN, MARGIN, TITLE_WORDS, align="left", size=TITLE_SIZE, weight="bold")
    _axis(page, ranges, MARGIN + TITLE, bottom)
    top = MARGIN + TITLE
    for sensor, row, height in zip(sensors, rows, heights, strict=True):
        middle = top + (height + ROW) / 2
        page.text(MARGIN, middle, sensor.name, align="left", size=7.5, weight="bold")
        for band, lane in row:
            _bar(page, band, ranges, top + ROW + lane * LANE)
        top += height
        page.line((MARGIN, top + ROW / 2), (right, top + ROW / 2))
    legend.draw(page, MARGIN, bottom + AXIS)
    return page


def _with_fitted_names(sensor: SensorSpans) -> SensorSpans:
    bands = [replace(band, name=fitted(band.name, LONGEST, LABEL)) for band in sensor.bands]
    return SensorSpans(fitted(sensor.name, LONGEST, 7.5), tuple(bands))


def ranges_of(bands: Sequence[BandSpan], left: int) -> list[Range]:
    """Return the parts of the axis that have a band, from a left edge on."""
    optical = [b for b in bands if b.min_nm < OPTICAL_END]
    thermal = [b for b in bands if OPTICAL_END <= b.min_nm < RADAR_START]
    radar = [b for b in bands if b.min_nm >= RADAR_START]
    found: list[Range] = []
    for name, group, unit_nm in (
        ("optical (nm)", optical, 1.0),
        ("thermal (\N{MICRO SIGN}m)", thermal, MICROMETRE),
        ("radar (mm)", radar, MILLIMETRE),
    ):
        if not group:
            continue
        low, high = min(b.min_nm for b in group), max(b.max_nm for b in group)
        if group is optical:
            low, high, width = 0.92 * low, 1.08 * high, OPTICAL
            ticks: tuple[float, ...] = tuple(t for t in TICKS if low <= t <= high)
        else:
            ticks, width = (low, high), NARROW
            low, high = low - 0.3 * (high - low), high + 0.3 * (high - low)
        found.append(Range(name, low, high, left, width, unit_nm, ticks))
        left += width + BREAK
    return found


def range_of(band: BandSpan, ranges: Sequence[Range]) -> Range:
    """Return the part of the axis on which a band is."""
    return next(r for r in ranges if r.low <= band.min_nm <= r.high)


def lanes_of(sensor: SensorSpans, ranges: Sequence[Range]) -> list[tuple[BandSpan, int]]:
    """Return each band and its lane: the first where neither bar nor name touches another."""
    ends: list[float] = []
    found = []
    for band in sorted(sensor.bands, key=lambda b: (b.min_nm, b.max_nm)):
        left, right = _extent(band, ranges)
        lane = next((i for i, end in enumerate(ends) if end + 4 <= left), len(ends))
        ends[lane : lane + 1] = [right]
        found.append((band, lane))
    return found


def _extent(band: BandSpan, ranges: Sequence[Range]) -> tuple[float, float]:
    """Return the left and right end of the bar with its name."""
    part = range_of(band, ranges)
    start, end = part.place(band.min_nm), part.place(band.max_nm)
    left, right = _name(band, ranges)
    return min(left, (start + end - LEAST) / 2, start), max(right, (start + end + LEAST) / 2, end)


def _name(band: BandSpan, ranges: Sequence[Range]) -> tuple[float, float]:
    """Return the left and right end of a name: above the bar, moved to be on the axis."""
    part, width = range_of(band, ranges), text_width(band.name, LABEL)
    middle = (part.place(band.min_nm) + part.place(band.max_nm)) / 2
    most = ranges[-1].left + ranges[-1].width - width
    left = max(min(middle - width / 2, most), ranges[0].left)
    return left, left + width


def _bar(page: Page, band: BandSpan, ranges: Sequence[Range], top: int) -> None:
    part = range_of(band, ranges)
    start, end = part.place(band.min_nm), part.place(band.max_nm)
    width = max(LEAST, round(end - start))
    page.text(sum(_name(band, ranges)) / 2, top + 7, band.name, size=LABEL)
    box = (round((start + end - width) / 2), top + LANE - BAR - 2, width, BAR)
    line = "dashed" if band.kind == "none" else "solid"
    hatch = "//////" if band.kind == "interpolated" else None
    page.frame(box, fill=FILLS[band.kind], edge=EDGE, line=line, hatch=hatch)


def _axis(page: Page, ranges: Sequence[Range], top: int, bottom: int) -> None:
    """Draw the parts of the axis, with ticks and marks of the gaps."""
    bottom += 8
    for part in ranges:
        right = part.left + part.width
        page.line((part.left, bottom), (right, bottom))
        for tick in part.ticks:
            at = part.place(tick)
            page.line((at, top), (at, bottom + 5))
            page.text(at, bottom + 16, f"{tick / part.unit_nm:g}", size=6.5, color=INK)
        page.text((part.left + right) / 2, bottom + 36, part.name, size=7, color=FAINT)
    for before, after in pairwise(ranges):
        for at in (before.left + before.width, after.left):
            page.line((at - 4, bottom + 6), (at + 4, bottom - 6))
