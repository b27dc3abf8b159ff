"""A picture of the first forecast of a prediction: the newest inputs and the forecast."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from openstl_ext.atomic_io import atomic_write
from openstl_ext.prediction.forecasting import BatchSink
from openstl_ext.prediction.sequences import Frames
from openstl_ext.structures import Channel
from openstl_ext.visualization.sample_page import SampleView, draw_samples


class FirstForecast:
    """Sink that keeps the first forecast and hands everything on.

    Args:
        sink: Receives all forecasts.

    Attributes:
        name: Name of the first sample.
        frames: Its forecast (T', C, H, W), in data units.
    """

    def __init__(self, sink: BatchSink) -> None:
        self._sink = sink
        self.name = ""
        self.frames: Frames | None = None

    def __call__(self, names: list[str], forecast: Frames) -> None:
        """Keep the first forecast of the first batch."""
        if self.frames is None:
            self.name, self.frames = names[0], np.array(forecast[0])
        self._sink(names, forecast)


def write_picture(
    path: Path,
    name: str,
    inputs: Frames,
    forecast: Frames,
    *,
    title: str,
    channels: Sequence[Channel] = (),
) -> None:
    """Draw the inputs and the forecast of one sample, with one scale for each channel.

    Args:
        path: A PNG.
        name: Name of the sample.
        inputs: Frames (T, C, H, W) in data units; NaN where missing.
        forecast: Frames (T', C, H, W).
        title: First line.
        channels: The channels, if they are known.
    """
    page = draw_samples(
        [SampleView(split="forecast", name=name, inputs=inputs, target=forecast)],
        title=title,
        channels=[channel.label for channel in channels],
        units=[channel.unit for channel in channels],
        future="forecast",
    )
    atomic_write(path, page.png())
