"""Figures of the wavelengths of sensors."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from openstl_ext.visualization.spectrum_coverage import (
    FILLS,
    BandSpan,
    SensorSpans,
    lanes_of,
    ranges_of,
    spectrum_figure,
)

OPTICAL = SensorSpans(
    "sentinel2",
    (
        BandSpan("B04", 634, 696, "learned"),
        BandSpan("B08", 728, 938, "learned"),
        BandSpan("B07", 761, 802, "learned"),
        BandSpan("B10", 1345, 1406, "none"),
    ),
)
THERMAL = SensorSpans("landsat8", (BandSpan("B10", 10600, 11190, "interpolated"),))
RADAR = SensorSpans(
    "sentinel1", (BandSpan("VV", 55e6, 56e6, "learned"), BandSpan("VH", 55e6, 56e6, "learned"))
)


def words(page) -> list[str]:
    return [text.get_text() for text in page.axes.texts]


def test_a_bar_has_the_place_of_its_wavelengths():
    """Bands would be compared at wrong wavelengths."""
    (part,) = ranges_of(OPTICAL.bands, left=100)
    assert part.place(part.low) == 100
    assert part.place(part.high) == pytest.approx(100 + part.width)
    middle = np.sqrt(part.low * part.high)  # logarithmic
    assert part.place(float(middle)) == pytest.approx(100 + part.width / 2)
    assert [t for t in part.ticks if t in (800, 1000)] == [800, 1000]
    page = spectrum_figure([OPTICAL])
    bars = [p for p in page.axes.patches if isinstance(p, Rectangle) and p.get_height() == 12]
    (place,) = ranges_of(OPTICAL.bands, left=28 + 84 + 18)
    widths = sorted(bar.get_width() for bar in bars)[-1]
    assert widths == pytest.approx(place.place(938) - place.place(728), abs=1)


def test_only_ranges_with_a_band_are_drawn():
    """Three quarters of the axis would be empty between infrared and radar."""
    assert [r.name.split()[0] for r in ranges_of(OPTICAL.bands, 0)] == ["optical"]
    found = ranges_of([*OPTICAL.bands, *THERMAL.bands, *RADAR.bands], 0)
    assert [r.name.split()[0] for r in found] == ["optical", "thermal", "radar"]
    texts = words(spectrum_figure([OPTICAL, RADAR]))
    assert {"55", "56", "radar (mm)", "optical (nm)"} <= set(texts)
    assert not any("thermal" in text for text in texts)


def test_bands_that_overlap_are_in_lanes_of_their_own():
    """VH would be hidden by VV, and B07 by B08."""
    lanes = {band.name: lane for band, lane in lanes_of(OPTICAL, ranges_of(OPTICAL.bands, 0))}
    assert lanes == {"B04": 0, "B08": 0, "B07": 1, "B10": 0}
    lanes = {band.name: lane for band, lane in lanes_of(RADAR, ranges_of(RADAR.bands, 0))}
    assert sorted(lanes.values()) == [0, 1]


def test_learned_and_interpolated_bands_are_told_apart():
    """A band without weights of its own would look like a trained one."""
    page = spectrum_figure([OPTICAL, THERMAL, RADAR])
    texts = words(page)
    assert {"learned projection", "interpolated projection", "no projection"} <= set(texts)
    hatched = [p for p in page.axes.patches if p.get_hatch()]
    assert len(hatched) == 1
    assert "interpolated projection" not in words(spectrum_figure([RADAR]))
    assert len(set(FILLS.values())) == 3


def renamed(sensor: SensorSpans, words: str) -> SensorSpans:
    bands = [replace(band, name=f"{words} {band.name}") for band in sensor.bands]
    return SensorSpans(f"{words} {sensor.name}", tuple(bands))


@pytest.mark.parametrize(
    "sensors",
    [
        [OPTICAL, THERMAL, RADAR],
        [RADAR],
        [renamed(OPTICAL, "surface reflectance of the band")],
        [renamed(OPTICAL, "reflectance " * 20), renamed(RADAR, "backscatter " * 20)],
    ],
    ids=["three", "radar", "long", "longest"],
)
def test_no_texts_overlap(sensors: list[SensorSpans]):
    """Labels would be unreadable, or cut off at the edge."""
    page = spectrum_figure(sensors)
    assert page.png() == spectrum_figure(sensors).png()
    renderer = page.canvas.get_renderer()
    boxes = [t.get_window_extent(renderer) for t in page.axes.texts]
    for index, box in enumerate(boxes):
        assert 0 <= box.x0 < box.x1 <= page.width
        assert 0 <= box.y0 < box.y1 <= page.height
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])
