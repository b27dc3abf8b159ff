"""Drawing a grid of forecasts and a panel of samples."""

import io
from collections.abc import Iterator

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.harness import Row, compare
from openstl_ext.visualization.grid import draw_grid
from openstl_ext.visualization.horizon_panel import draw_panel
from openstl_ext.visualization.panel_sample import PanelSample
from openstl_ext.visualization.saved import SavedSample

NUM_FRAMES, SIDE = 10, 64
NUM_SAMPLES, NUM_HORIZONS, CHIP = 7, 3, 128


def axes_per_map(maps: NDArray[np.float32]) -> bytes:
    """Draw maps (rows, columns, H, W) with one matplotlib axes each, as a PNG."""
    rows, columns = maps.shape[:2]
    figure = Figure(figsize=(1.3 * columns, 1.5 * rows), dpi=150)
    FigureCanvasAgg(figure)
    for axes, values in zip(
        figure.subplots(rows, columns).flat, maps.reshape(-1, *maps.shape[2:]), strict=True
    ):
        axes.imshow(values, vmin=0, vmax=1)
        axes.set_axis_off()
        axes.set_title("t+1", fontsize=7)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def rows() -> Iterator[Row]:
    """Compare with one axes per map, which takes most of the time of a figure."""
    draw = np.random.default_rng(0)
    frames = draw.uniform(0, 1, (3, NUM_FRAMES, 1, SIDE, SIDE)).astype("float32")
    sample = SavedSample("sample", *frames)
    maps = np.concatenate([frames[:, :, 0], frames[2:, :, 0] - frames[1:2, :, 0]])
    cost = compare(lambda: axes_per_map(maps), lambda: draw_grid(sample).png(), rounds=5)
    yield Row("grid of 4 x 10 maps of 64 x 64", "one axes per map", *cost, goal=1.5)

    shape = (NUM_SAMPLES, NUM_HORIZONS, CHIP, CHIP)
    target, forecast = (draw.uniform(0, 1, shape).astype("float32") for _ in range(2))
    valid = np.ones(shape[1:], dtype=bool)
    horizons = [str(year) for year in range(2025, 2025 + 5 * NUM_HORIZONS, 5)]
    samples = [
        PanelSample.masked(f"sample {k}", horizons, valid, target=target[k], forecast=forecast[k])
        for k in range(NUM_SAMPLES)
    ]
    shown = np.stack([target, forecast, forecast - target], axis=2).reshape(-1, 3, CHIP, CHIP)
    cost = compare(lambda: axes_per_map(shown), lambda: draw_panel(samples).png(), rounds=5)
    yield Row("panel of 7 samples x 3 horizons of 128 x 128", "one axes per map", *cost, goal=2)
