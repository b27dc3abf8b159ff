"""Predict with a trained method what the arguments of ``tools/predict.py`` request."""

import inspect
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config

from openstl_ext.datasets.stored_form import StoredForm
from openstl_ext.errors import ConfigError, DataError
from openstl_ext.output_path import check_file
from openstl_ext.prediction import maps
from openstl_ext.prediction.destination import FILES, TIFF, answer_folder, check_outputs
from openstl_ext.prediction.forecast_output import forecast_output
from openstl_ext.prediction.forecasting import forecast_sequences
from openstl_ext.prediction.intervals import find_postprocessor
from openstl_ext.prediction.mapping import map_scene
from openstl_ext.prediction.picture import FirstForecast, write_picture
from openstl_ext.prediction.predictor import Predictor, channels_of, dataset_of
from openstl_ext.prediction.sequences import holds_frames
from openstl_ext.prediction.source_frames import is_source, open_frames
from openstl_ext.prediction.tiles import Tiling
from openstl_ext.rasters.region import Region
from openstl_ext.rasters.window import Scene

TILE = 128
MOST_STEPS = 100_000
"""Longest forecast; a larger number is a typing error, and would not end."""
HORIZONS = ("num_targets", "horizon", "num_horizons")
"""Dataset arguments for the number of target frames."""
SIDES = ("patch_size", "chip_size")
"""Dataset arguments for the side of a sample."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of ``openstl-ext predict``.

    Args:
        source: Input: frames (.npy, .npz, a folder of frame files), or files that the dataset of
            the config opens as a scene.
        out: Output: a map, a folder of maps, an .npy or a folder of frames.
        probability: Second map, with class probabilities.
        tile: Side of a tile, in pixels; by default that of the patches in training, or 128, for
            maps, and no tiles for frames.
        overlap: Number of pixels that neighbouring tiles share; a quarter of a tile if not given.
        batch_size: Number of tiles, or samples, per batch.
        horizon: Number of frames to forecast; that of the dataset if not given.
        last: Whether to use the newest frames if there are more than the config expects.
        region: GeoJSON of the area to map.
        region_crs: CRS of the region, if the file has none or a wrong one.
        device: Device; a GPU if there is one by default.
        bfloat16: Whether to compute in bfloat16 where it is safe.
        calibration: Calibration file of a test; by default that in the checkpoint's work
            directory, if there is one.
        picture: PNG of the first forecast of frames; beside the output if not given.
        no_picture: Whether to draw none.
        scale: Number that values of frames are divided by, or ``none``; None is as in training.
        variable: As ``axes`` to ``grey``, how frames are read; see ``frame_sources.ReadOptions``.
            None is as in training.
    """

    source: Path
    out: Path
    probability: Path | None = None
    tile: int | None = None
    overlap: int | None = None
    batch_size: int = 8
    horizon: int | None = None
    last: bool = False
    region: Path | None = None
    region_crs: str | None = None
    device: str | None = None
    bfloat16: bool = False
    calibration: Path | None = None
    picture: Path | None = None
    no_picture: bool = False
    scale: str | None = None
    variable: str | None = None
    axes: str | None = None
    channels: tuple[str, ...] | None = None
    nodata: float | None = None
    every: int | None = None
    grey: bool | None = None

    @property
    def read_options(self) -> dict[str, Any]:
        """Options with which frames are read; None where they are those of the training."""
        names = ("variable", "axes", "channels", "nodata", "every", "grey")
        return {name: getattr(self, name) for name in names}

    @property
    def picture_path(self) -> Path | None:
        """Where the picture is written."""
        if self.no_picture:
            return None
        if self.picture is not None:
            return self.picture
        name = self.out.stem if self.out.suffix.lower() in FILES else self.out.name
        return self.out.with_name(f"{name}.png")

    def check(self, checkpoint: Path | str | None) -> None:
        """Check the paths, before a model is loaded.

        Raises:
            DataError: If the input does not exist.
            ConfigError: If the horizon is not positive, or an output cannot be written.
        """
        if not self.source.exists():
            raise DataError(f"--input {self.source} does not exist; correct the path")
        if self.horizon is not None and self.horizon < 1:
            raise ConfigError(f"--horizon is {self.horizon}; it must be at least 1")
        if self.horizon is not None and self.horizon > MOST_STEPS:
            raise ConfigError(f"--horizon is {self.horizon}; it must be at most {MOST_STEPS}")
        weights = None if checkpoint is None else Path(checkpoint)
        inputs = (self.source, weights, self.region, self.calibration)
        given = [path for path in inputs if path is not None]
        check_outputs(self.out, self.probability, given)
        if self.picture is not None:
            check_file(self.picture, option="--picture", suffixes=(".png",), sources=given)


def predict(cfg: Config, checkpoint: Path | str, request: Request) -> str:
    """Predict, write the result and return a line of report.

    Only the method of the config is built, and only the class of the dataset is used, to open the
    source: targets are neither needed nor read.

    Args:
        cfg: A loaded config.
        checkpoint: Weights of its method.
        request: The arguments.

    Raises:
        UserError: If input, output or config is invalid; no output remains under its final name.
    """
    request.check(checkpoint)
    predictor = Predictor.load(cfg, checkpoint, device=request.device, amp=request.bfloat16)
    predictor.postprocessor, intervals = find_postprocessor(
        predictor.method, checkpoint, request.calibration
    )
    dataset, settings = dataset_of(cfg)
    about = {
        "config": str(cfg.get("identity")),
        "checkpoint": str(checkpoint),
        "input": str(request.source),
    }
    if intervals:
        about["intervals"] = intervals
    frames = not predictor.says_labels and _has_frames(dataset, request.source)
    answer = _forecast if frames else _map
    written = answer(predictor, dataset, settings, request, about)
    return "\n".join(filter(None, (intervals, written)))


def _forecast(
    predictor: Predictor,
    dataset: Any,
    settings: Mapping[str, Any],
    request: Request,
    about: dict[str, str],
) -> str:
    """Forecast frames from frames."""
    if request.region or request.probability:
        raise ConfigError("--region and --probability are for maps of rasters, not for frames")
    form = StoredForm() if dataset is None else dataset.stored_form(settings)
    source = open_frames(request.source, form, request.read_options, request.scale)
    expected = _asked(dataset, settings, ("num_inputs",)) or form.num_inputs or source.length
    if source.length < expected or (source.longest > expected and not request.last):
        found = " to ".join(map(str, sorted({source.length, source.longest})))
        hint = "; --last uses the newest" if source.length >= expected else ""
        raise DataError(
            f"{request.source} has {found} frames per sample, but the config expects "
            f"{expected}{hint}"
        )
    horizon = request.horizon or _asked(dataset, settings, HORIZONS) or form.num_targets or expected
    picture = request.picture_path
    if picture is not None:
        check_file(picture, option="--picture", sources=[request.source])
    with forecast_output(request.out, source, about, request.source) as sink:
        first = FirstForecast(sink)
        forecast_sequences(
            predictor,
            source,
            first,
            num_frames=expected,
            horizon=horizon,
            batch_size=request.batch_size,
            tile=request.tile,
            overlap=_overlap(request),
        )
    written = f"{len(source.names)} x {horizon} frames in {request.out}"
    if source.part is not None:
        written += f"\nof the central part of the input, as in training: {source.part}"
    if picture is None or first.frames is None:
        return written
    write_picture(
        picture,
        first.name,
        source.read([0], expected)[0],
        first.frames,
        title=about["config"],
        channels=channels_of(predictor.channels),
    )
    return f"{written}\npicture of {first.name}: {picture}"


def _has_frames(dataset: Any, path: Path) -> bool:
    """Return whether an input is frames; rasters are a scene if the dataset opens scenes."""
    if holds_frames(path):
        return True
    opens_scenes = dataset is not None and dataset.opens_scenes()
    return not opens_scenes and is_source(path)


def _map(
    predictor: Predictor,
    dataset: Any,
    settings: Mapping[str, Any],
    request: Request,
    about: dict[str, str],
) -> str:
    """Predict maps of a scene, which the dataset opens."""
    if dataset is None:
        raise ConfigError(
            f"this config has no test dataset to open rasters, so {request.source} cannot be "
            "mapped; give frames: an .npy or .npz, or a folder of <t>.npy"
        )
    scene: Scene = dataset.scene(request.source, settings)
    check_trained_channels(predictor, scene, request)
    if request.tile is None:
        request = replace(request, tile=_asked(dataset, settings, SIDES) or TILE)
    if predictor.says_labels:
        return _map_labels(predictor, scene, request, about)
    largest = predictor.method.max_horizon  # of a net that predicts all horizons at once
    steps = scene.steps(request.horizon or _asked(dataset, settings, HORIZONS) or largest or 1)
    return _map_forecast(predictor, scene, steps, request, about)


def check_trained_channels(predictor: Predictor, scene: Scene, request: Request) -> None:
    """Compare the channels of a scene with those of the training.

    Raises:
        DataError: If names, order or units differ.
    """
    trained, given = predictor.channels, [str(c) for c in getattr(scene, "channels", ())]
    if trained and given and trained != given:
        raise DataError(
            f"{request.source} has the channels {', '.join(given)}, but the weights were trained "
            f"on {', '.join(trained)}; give these, in this order and unit"
        )


def _map_labels(predictor: Predictor, scene: Scene, request: Request, about: dict[str, str]) -> str:
    """Predict a map of classes of a scene."""
    check_file(request.out, suffixes=TIFF, option="--out")
    where, note = _where(predictor, scene, request)
    with maps.label_map(
        request.out,
        predictor,
        grid=scene.grid,
        area=where["area"],
        probability=request.probability,
        classes=getattr(scene, "classes", ()),
        tags=about,
    ) as sink:
        count = map_scene(lambda x: predictor(x, 0), scene, sink, step=maps.BLOCK, **where)
    return f"{request.out}: {count} tiles of {where['tiling'].size} pixels{note}"


def _map_forecast(
    predictor: Predictor, scene: Scene, steps: list[str], request: Request, about: dict[str, str]
) -> str:
    """Predict a map of a scene for each lead and field."""
    if request.out.suffix.lower() in TIFF:
        raise ConfigError(f"--out {request.out}: a forecast has several maps; choose a folder")
    if request.probability:
        raise ConfigError("--probability needs a method that predicts classes; this one forecasts")
    where, note = _where(predictor, scene, request)
    with ExitStack() as stack:
        folder = stack.enter_context(answer_folder(request.out, about, source=request.source))
        sink = stack.enter_context(
            maps.forecast_maps(
                folder,
                request.source.stem,
                steps,
                grid=scene.grid,
                area=where["area"],
                clip=scene.clip,
                tags=about,
            )
        )
        answer = partial(predictor, horizon=len(steps))
        count = map_scene(answer, scene, sink, step=maps.BLOCK, **where)
    size = where["tiling"].size
    return f"{len(steps)} steps in {request.out}: {count} tiles of {size} pixels{note}"


def _where(predictor: Predictor, scene: Scene, request: Request) -> tuple[dict[str, Any], str]:
    """Return tiles, area, mask and rules of a map, and a note on the region."""
    grid = scene.grid
    tiling = Tiling(
        height=grid.height,
        width=grid.width,
        size=TILE if request.tile is None else request.tile,
        overlap=_overlap(request),
    )
    rules = predictor.method.frame_rules
    found = {
        "tiling": tiling,
        "area": tiling.whole,
        "batch_size": request.batch_size,
        "rules": rules,
    }
    if request.region is None:
        return found, ""
    region = Region.read(request.region, grid, crs=request.region_crs)
    return {**found, "area": region.window, "mask": region.mask}, region.note()


def _overlap(request: Request) -> int:
    """Return the number of pixels that tiles share."""
    return (request.tile or TILE) // 4 if request.overlap is None else request.overlap


def _asked(dataset: type | None, settings: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    """Return an argument of the config, or the default of its dataset; None for neither."""
    if dataset is None:
        return None
    parameters = inspect.signature(dataset).parameters
    for name in names:
        default = parameters[name].default if name in parameters else None
        value = settings.get(name, default)
        if isinstance(value, int):
            return value
    return None
