"""Draw forecasts at the end of a run."""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

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
from openstl_ext.interfaces import Postprocessor
from openstl_ext.registry import HOOKS
from openstl_ext.structures import Metainfo, Sample
from openstl_ext.value_types import Count
from openstl_ext.visualization.horizon_panel import draw_panel
from openstl_ext.visualization.panel_sample import PanelSample


@HOOKS.register_module()
class ForecastFigureHook(Hook):
    """Write one figure of some forecasts, a row per horizon, after training and after a test.

    After training it shows validation samples and the best checkpoint, after a test the tested
    weights and samples, with postprocessors applied. Only these samples are forecast, by a copy
    of the method on the main rank, so that the run is not changed. If drawing fails, the run
    continues with a warning.

    Args:
        num_samples: Number of samples, spread evenly over the split, because the first ones of a
            raster may all be of one place.
        channel: Label or position of the channel that is shown.
        value_range: Minimum and maximum of the scale, in data units; by default those of the
            unit, as in ``0-1``, else percentiles of the shown values.
        colormap: Colour map of the values, from matplotlib.
        filename: File in the work directory; the trackers get the figure too.

    Raises:
        ConfigError: If the method does not forecast frames, or an argument is not usable.
    """

    changes = "nothing"
    priority = "VERY_LOW"  # after the record is written

    def __init__(
        self,
        *,
        num_samples: Count = 7,
        channel: int | str = 0,
        value_range: Sequence[float] | None = None,
        colormap: str = "viridis",
        filename: str = "panel.png",
    ) -> None:
        if num_samples < 1:
            raise ConfigError(f"num_samples must be at least 1, got {num_samples}")
        self.num_samples, self.channel, self.filename = num_samples, channel, filename
        self.style: dict[str, Any] = {"value_range": value_range, "colormap": colormap}

    def before_run(self, runner: Runner) -> None:
        """Check the method before the training, not after it."""
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
        except CheckpointError:  # no checkpoint was kept, or no epoch had a score
            path = None
        self._draw(runner, runner.val_loop.dataloader.dataset, "val", runner.iter, path)

    def after_test(self, runner: Runner) -> None:
        trained = getattr(runner, "trained", {})
        step = int(trained.get("iteration", 0))
        self._draw(runner, runner.test_loop.dataloader.dataset, "test", step, None)

    def _draw(
        self, runner: Runner, dataset: Any, split: str, step: int, weights: Path | None
    ) -> None:
        """Draw, write and track the figure, on the main rank only."""
        if not is_main_process():
            return
        try:
            method, loaded = copy.deepcopy(unwrap(runner.model)), weights
            if weights is not None:
                checkpoints.load_weights(method, checkpoints.read(weights)["state_dict"])
            elif split == "test":
                loaded = runner.cfg.get("load_from")
            which = f"weights of {Path(loaded).name}" if loaded else "weights of the last iteration"
            postprocessors = runner.test_loop.postprocessors if split == "test" else {}
            if postprocessors:
                which += f"; after the postprocessor {', '.join(postprocessors)}"
            chosen = spread(len(dataset), self.num_samples)
            changes = [postprocessor for postprocessor, _ in postprocessors.values()]
            samples = list(
                forecasts(method, dataset, chosen, self.channel, seed=runner.seed, changes=changes)
            )
            metainfo = metainfo_of(dataset)
            kind = "synthetic samples" if metainfo and metainfo.synthetic else "samples"
            about = {
                "title": runner.cfg.get("identity") or "forecasts",
                "subtitle": f"{split}: {len(chosen)} of {len(dataset)} {kind}; {which}",
                "unit": unit_of(self.channel, metainfo),
            }
            page = draw_panel(samples, about, **self.style)
            path = Path(runner.work_dir) / self.filename
            atomic_write(path, page.png())
            runner.visualizer.add_image(f"{split}/panel", page.pixels(), step)
            runner.logger.info(f"drew {len(chosen)} forecasts in {path}")
        except Exception as error:  # a failed figure must not lose the run
            runner.logger.warning(f"the figure was not drawn: {type(error).__name__}: {error}")


def spread(length: int, number: int) -> list[int]:
    """Return the indices in the middle of ``number`` equal parts of a split; at most all."""
    number = min(length, number)
    return [(2 * part + 1) * length // (2 * number) for part in range(number)]


@torch.no_grad()
def forecasts(
    method: nn.Module,
    dataset: Any,
    indices: Sequence[int],
    channel: int | str,
    *,
    seed: int,
    changes: Sequence[Postprocessor] = (),
) -> Iterator[PanelSample]:
    """Forecast samples one by one, and yield what the figure shows.

    Args:
        method: A ForecastMethod; its mode may be changed.
        dataset: Dataset of the samples.
        indices: Indices of the samples.
        channel: Label or position of the channel.
        seed: Seed of the run, for stochastic methods.
        changes: Postprocessors of the forecasts.
    """
    method.eval()
    for index in indices:
        item = dataset[index]
        seed_everything(seed, EVALUATION, index)
        (sample,) = method.test_step(collate([item]))  # type: ignore[operator]
        at = channel_of(channel, dataset, sample["forecast"].shape[1])
        for change in changes:
            sample = cast("Sample", change(sample))  # type: ignore[arg-type]
        lower = upper = None
        if len(sample.get("quantiles", ())) > 1:  # one quantile is no interval
            ends = sample["quantiles"][:, :, at].cpu().numpy()
            lower, upper = ends[0], ends[-1]
        yield PanelSample.masked(
            str(dataset.sample_id(index)),
            horizon_names(dataset, index, len(sample["valid"])),
            _maps(sample["valid"], at),
            target=_maps(sample["target"], at),
            forecast=_maps(sample["forecast"], at),
            lower=lower,
            upper=upper,
        )


def channel_of(channel: int | str, dataset: Any, number: int) -> int:
    """Return the position of a channel, given by label or position.

    Raises:
        ConfigError: If there is no such channel.
    """
    metainfo = metainfo_of(dataset)
    names = list(metainfo.labels) if metainfo else []
    at = names.index(channel) if channel in names else channel
    if not isinstance(at, int) or not 0 <= at < number:
        raise ConfigError(f"channel {channel!r} does not exist; the {number} channels are {names}")
    return at


def unit_of(channel: int | str, metainfo: Metainfo | None) -> str:
    """Return the unit of a channel, given by label or position."""
    if metainfo is None:
        return "1"
    position = metainfo.labels.index(channel) if isinstance(channel, str) else channel
    return metainfo.channels[position].unit if position < len(metainfo.channels) else "1"


def horizon_names(dataset: Any, index: int, number: int) -> list[str]:
    """Return a name for each target frame: its year if known, else its lead time.

    Args:
        dataset: Its ``target_names(index)`` are used, if it has any.
        index: Index of the sample.
        number: Number of frames.
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
    """Return the metainfo of a dataset; None if it has none."""
    return getattr(dataset, "metainfo", None)


def _maps(field: Tensor, channel: int) -> Any:
    """Return one channel of a field (K, H, W) as an array."""
    return np.asarray(field[:, channel].cpu().numpy())
