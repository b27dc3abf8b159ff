"""Draw what a run forecasts, when it is done."""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from openstl_ext.atomic_io import atomic_write
from openstl_ext.engine import checkpoint as checkpoints
from openstl_ext.engine.collate import collate
from openstl_ext.engine.randomness import EVALUATION, seed_everything
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import CheckpointError, ConfigError
from openstl_ext.registry import HOOKS
from openstl_ext.structures import Metainfo, Sample
from openstl_ext.visualization.horizon_panel import draw_panel
from openstl_ext.visualization.panel_sample import PanelSample


@HOOKS.register_module()
class ForecastFigureHook(Hook):
    """Leave one picture of some forecasts, a row a horizon, at the end of training and of a test.

    After training it shows validation samples and the best checkpoint, after a test what was
    tested. Only the samples that are drawn are forecast, by a copy of the method on the main rank,
    so that the run is left as it was. A picture that cannot be drawn is told, and costs no run.

    Args:
        num_samples: How many are shown, spread evenly over the split: the first ones of a raster
            may all show one place.
        channel: Name or number of the channel that is shown.
        value_range: Least and greatest value of the scale, in data units; by default as the unit
            of the data says, as in ``0-1``, else percentiles of what is shown.
        colormap: Map of the values, any of matplotlib's.
        filename: Of the picture, in the work directory; the trackers get it too.

    Raises:
        ConfigError: If the method does not answer with frames, or an argument cannot be meant.
    """

    priority = "VERY_LOW"  # the test has been recorded by then

    def __init__(
        self,
        *,
        num_samples: int = 7,
        channel: int | str = 0,
        value_range: Sequence[float] | None = None,
        colormap: str = "viridis",
        filename: str = "panel.png",
    ) -> None:
        if num_samples < 1:
            raise ConfigError(f"num_samples is 1 or more, not {num_samples}")
        self.num_samples, self.channel, self.filename = num_samples, channel, filename
        self.style: dict[str, Any] = {"value_range": value_range, "colormap": colormap}

    def before_run(self, runner: Runner) -> None:
        """Refuse before the training what would fail after it."""
        method: Any = unwrap(runner.model)
        if method.answers != "frames":
            raise ConfigError(
                f"{type(method).__name__} forecasts no frames to draw; remove ForecastFigureHook "
                "from custom_hooks"
            )

    def after_train(self, runner: Runner) -> None:
        if runner.val_loop is None:
            return
        try:
            path = checkpoints.best(runner.work_dir)
        except CheckpointError:  # none was kept, or no epoch had a score
            path = None
        self._draw(runner, runner.val_loop.dataloader.dataset, "val", runner.iter, path)

    def after_test(self, runner: Runner) -> None:
        trained = getattr(runner, "trained", {})
        step = int(trained.get("iteration", 0))
        self._draw(runner, runner.test_loop.dataloader.dataset, "test", step, None)

    def _draw(
        self, runner: Runner, dataset: Any, split: str, step: int, weights: Path | None
    ) -> None:
        """Draw, write and show the picture; other ranks go on without, as nothing is exchanged."""
        if not is_main_process():
            return
        try:
            method, loaded = copy.deepcopy(unwrap(runner.model)), weights
            if weights is not None:
                checkpoints.load_weights(method, checkpoints.read(weights)["state_dict"])
            elif split == "test":
                loaded = runner.cfg.get("load_from")
            which = f"weights of {Path(loaded).name}" if loaded else "weights of the last iteration"
            if getattr(method, "margin", None) is not None:
                which += "; intervals after calibration"
            chosen = spread(len(dataset), self.num_samples)
            samples = list(forecasts(method, dataset, chosen, self.channel, seed=runner.seed))
            facts = metainfo_of(dataset)
            kind = "synthetic samples" if getattr(facts, "synthetic", False) else "samples"
            about = {
                "title": runner.cfg.get("identity") or "forecasts",
                "subtitle": f"{split}: {len(chosen)} of {len(dataset)} {kind}; {which}",
                "unit": getattr(facts, "unit", "1"),
            }
            page = draw_panel(samples, about, **self.style)
            path = Path(runner.work_dir) / self.filename
            atomic_write(path, page.png())
            runner.visualizer.add_image(f"{split}/panel", page.pixels(), step)
            runner.logger.info(f"{len(chosen)} forecasts are drawn in {path}")
        except Exception as error:  # days of training must not be lost to a picture
            runner.logger.warning(f"no panel was drawn: {type(error).__name__}: {error}")


def spread(length: int, number: int) -> list[int]:
    """Indices in the middle of ``number`` equal parts of a split; all if there are fewer."""
    number = min(length, number)
    return [(2 * part + 1) * length // (2 * number) for part in range(number)]


@torch.no_grad()
def forecasts(
    method: nn.Module, dataset: Any, indices: Sequence[int], channel: int | str, *, seed: int
) -> Iterator[PanelSample]:
    """Forecast samples one by one, and keep of each what a panel shows.

    Args:
        method: A method of forecasting, which this may change.
        dataset: Where the samples are.
        indices: Which ones.
        channel: Name or number of the channel.
        seed: Of the run, for methods that draw.
    """
    method.eval()
    for index in indices:
        item = dataset[index]
        seed_everything(seed, EVALUATION, index)
        (sample,) = method.test_step(collate([item]))  # type: ignore[operator]
        at = channel_of(channel, dataset, sample["forecast"].shape[1])
        valid = _maps(sample, "valid", at).astype(bool)
        lower, upper = (_maps(sample, end, at) for end in interval_of(sample))
        yield PanelSample.masked(
            str(dataset.sample_id(index)),
            horizon_names(dataset, index, len(valid)),
            valid,
            target=_maps(sample, "target", at),
            forecast=_maps(sample, "forecast", at),
            lower=lower,
            upper=upper,
        )


def channel_of(channel: int | str, dataset: Any, number: int) -> int:
    """Number of a channel, given by name or number.

    Raises:
        ConfigError: If there is none.
    """
    names = list(getattr(metainfo_of(dataset), "channels", ()))
    at = names.index(channel) if channel in names else channel
    if not isinstance(at, int) or not 0 <= at < number:
        raise ConfigError(f"channel {channel!r}: there are {number}, called {names}")
    return at


def interval_of(sample: Sample) -> tuple[str, str]:
    """Names of the ends of its interval: those after calibration where there are any."""
    calibrated = ("lower_calibrated", "upper_calibrated")
    return calibrated if calibrated[0] in sample else ("lower", "upper")


def horizon_names(dataset: Any, index: int, number: int) -> list[str]:
    """What each frame of the truth is called: its year where known, else how far ahead it is.

    Args:
        dataset: Its ``target_names(index)`` are used, if there are any.
        index: Of the sample.
        number: How many names are wanted.
    """
    if named := dataset.target_names(index):
        return named
    metainfo = metainfo_of(dataset)
    length, unit = getattr(metainfo, "lead", (1, "frame"))
    years = getattr(metainfo, "years", ())
    ahead = [length * lead for lead in range(1, number + 1)]
    if years and unit == "yr":
        return [f"{years[-1] + step:g}" for step in ahead]
    return [f"t+{step:g}" if unit == "frame" else f"+{step:g} {unit}" for step in ahead]


def metainfo_of(dataset: Any) -> Metainfo | None:
    """What the dataset says about itself, if anything."""
    return getattr(dataset, "metainfo", None)


def _maps(sample: Sample, field: str, channel: int) -> Any:
    """One channel of a field (K, H, W) as an array; None if the sample has no such field."""
    values: Tensor | None = sample.get(field)  # type: ignore[assignment]
    return None if values is None else np.asarray(values[:, channel].cpu().numpy())
