"""Python API: load, forecast, evaluate and register in a notebook or a script.

The package exports these functions, as in ``openstl_ext.forecast(model, frames)``.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import NDArray
from torch import Tensor

from openstl_ext import config as configs
from openstl_ext import registry as r
from openstl_ext.arrays import AnyArray, batch_of, check_finite, mask_of, samples_of
from openstl_ext.encoder_weights import read_encoder
from openstl_ext.engine import checkpoint as checkpoints
from openstl_ext.engine.randomness import WEIGHTS, seed_everything
from openstl_ext.engine.trained import load_trained_weights
from openstl_ext.errors import ConfigError, ShapeError, nearest
from openstl_ext.interfaces import check_channels, check_net
from openstl_ext.methods.base import ForecastMethod
from openstl_ext.metrics.base import SampleMetric
from openstl_ext.prediction.features import FeatureExtractor
from openstl_ext.prediction.predictor import Predictor, rules_of

Array = TypeVar("Array", NDArray[Any], Tensor)
Metric = str | type | Mapping[str, Any] | SampleMetric
Class = TypeVar("Class", bound=type)

KINDS = {
    "model": r.MODELS,
    "dataset": r.DATASETS,
    "metric": r.METRICS,
    "method": r.METHODS,
    "loss": r.LOSSES,
}
"""What can be registered, and in which registry."""


def load_config(
    name_or_path: str | Path, overrides: Mapping[str, Any] | Sequence[str] | None = None
) -> Config:
    """Load a config strictly.

    Args:
        name_or_path: A name such as ``boiling/simvp_gsta_small``, or a path.
        overrides: Values by dotted key, such as ``{"train_cfg.max_epochs": 2}``, or entries as in
            ``--cfg-options``. A ``+`` before a key adds it.

    Raises:
        ConfigError: If there is no such config, or a key or a value does not fit.
    """
    if isinstance(overrides, Mapping):
        overrides = [f"{key}={value!r}" for key, value in overrides.items()]
    return configs.load(name_or_path, overrides or ())


def load_model(config: Config | str | Path, checkpoint: str | Path | None = None) -> Any:
    """Build the method of a config in evaluation mode, on the CPU.

    Args:
        config: A loaded config, or its name or path.
        checkpoint: A file of weights, or a work directory, whose best checkpoint is loaded.
            Without one, the weights are the initial weights of the config's seed.

    Returns:
        The method. ``model.to("cuda")`` moves it, and ``forecast`` computes on its device.

    Raises:
        ConfigError: If the config cannot be loaded or has no method.
        CheckpointError: If there is no such checkpoint, or its weights do not fit the method.
    """
    cfg = config if isinstance(config, Config) else load_config(config)
    if not isinstance(cfg.get("model"), dict):
        raise ConfigError(f"{cfg.get('identity')} has no model block, so there is nothing to load")
    seed_everything(int(cfg.get("seed") or 0), WEIGHTS)
    method = r.METHODS.build(cfg.model)
    check_net(method)
    if checkpoint is not None:
        is_folder = Path(checkpoint).is_dir()
        path = checkpoints.best(checkpoint) if is_folder else Path(checkpoint)
        load_trained_weights(method, cfg, path)
    method.frame_rules = rules_of(cfg)
    return method.eval()


def load_encoder(
    weights: str | Path, *, device: str | None = None, amp: bool = False, **net: Any
) -> FeatureExtractor:
    """Load the encoder of SMARTIES, for features of your own images.

    Args:
        weights: Published weights (``.safetensors``), a checkpoint of a pre-training, a
            classification or a segmentation, a converted one, or a work directory, whose best
            checkpoint is loaded.
        device: Where it computes, such as ``cpu`` or ``cuda:1``; by default a GPU if there is one.
        amp: Whether to compute in bfloat16 where that is safe.
        **net: Arguments of ``SpectralViT`` in place of those of the training: ``sensors`` for
            sensors with ranges of their own, ``interpolation="linear"`` for the bands of released
            weights that have no projection, ``num_heads`` where a file does not show it.

    Returns:
        The encoder. ``features(raster, sensor)`` returns a feature of each patch of a raster and
        ``embeddings(images, sensor)`` one of each image.

    Raises:
        CheckpointError: If there is no such file, or it has no encoder.
        ConfigError: If the device does not exist, or the encoder has no such argument.
    """
    return FeatureExtractor(read_encoder(weights, net), device=device, amp=amp)


def forecast(
    model: Any,
    frames: Array,
    horizon: int | None = None,
    *,
    valid: AnyArray | None = None,
    seed: int = 0,
    batch_size: int = 8,
) -> Array:
    """Forecast the frames that follow an array of frames.

    Args:
        model: A method that predicts frames, from ``load_model``.
        frames: Past frames in data units, oldest first, of any real number type.
        horizon: Number of future frames; by default as many as ``frames`` has, or the largest
            horizon of the model if that is smaller.
        valid: True where ``frames`` holds data; by default everywhere.
        seed: Seed of the run; a stochastic model draws the noise of a sample from it and from the
            index of the sample.
        batch_size: Number of samples that the net receives together.

    Shape:
        - frames, valid: (T, C, H, W) or (B, T, C, H, W).
        - returns: (horizon, C, H, W) or (B, horizon, C, H, W).

    Returns:
        The point forecast in data units, float32: a NumPy array for a NumPy array, a tensor on
        the device of ``frames`` for a tensor.

    Raises:
        ConfigError: If the model does not predict frames.
        DataError: If a valid pixel is not finite.
        ShapeError: If the model cannot take such frames or such a horizon.
    """
    if not isinstance(model, ForecastMethod):
        raise ConfigError(
            f"a {type(model).__name__} does not predict frames; pass a method from load_model "
            "that does, and map labels with openstl-ext predict"
        )
    past, is_single = batch_of("frames", frames, "frames")
    mask = mask_of(valid, past, is_single=is_single)
    check_finite("frames", past, mask)
    check_channels(getattr(model, "net", None), past)
    for index, sample in enumerate(past.cpu().numpy()):
        place = "frames" if is_single else f"frames[{index}]"
        model.frame_rules.check(sample, place=place, valid=mask[index].cpu().numpy())
        model.frame_rules.warn_if_tiny(sample, place=place)
    steps = min(past.shape[1], model.max_horizon or past.shape[1]) if horizon is None else horizon
    if steps < 1:
        raise ShapeError(f"horizon is {horizon}, expected 1 or more frames")
    fields = {"frames": past, "index": torch.arange(len(past))}
    fields |= {} if valid is None else {"valid": mask}
    was_training = model.training
    predictor = Predictor(model, device=str(model.data_preprocessor.device), seed=seed)
    blocks = []
    for first in range(0, len(past), batch_size):
        batch = {k: v[first : first + batch_size].cpu().numpy() for k, v in fields.items()}
        blocks.append(predictor(batch, steps)["forecast"])
    model.train(was_training)
    future = blocks[0][0] if is_single else np.concatenate(blocks)
    return torch.from_numpy(future).to(frames.device) if isinstance(frames, Tensor) else future


def evaluate(
    forecast: AnyArray,
    target: AnyArray,
    metrics: Metric | Sequence[Metric] = ("mse", "mae"),
    *,
    valid: AnyArray | None = None,
    **fields: AnyArray,
) -> dict[str, float]:
    """Compute scores of forecasts: the numbers that a test run gives.

    Args:
        forecast: Predicted frames in data units; predicted labels for metrics of labels.
        target: Observed frames or labels.
        metrics: Score names such as ``ssim``, metric classes, or configs such as
            ``{"type": "PSNR", "clip": [0, 1]}``; ``config.test_evaluator`` is a list of these.
        valid: True where the target exists; by default everywhere.
        **fields: Further fields of a sample that a metric requires. ``last``, ``quantiles`` and
            ``ensemble`` have the batch axis of the forecast; ``weight`` (H, W) and
            ``quantile_levels`` (Q,) are the same for all samples.

    Shape:
        - forecast, target, valid: (T, C, H, W) or (B, T, C, H, W); labels (H, W) or (B, H, W).

    Returns:
        Scores by name, over all samples and per lead: ``mse``, ``mse@1``, ``mse@2`` ...

    Raises:
        ConfigError: If a metric is unknown or requires a field that is missing.
        DataError: If a forecast or a target is not finite at a valid pixel.
        ShapeError: If forecast and target differ in shape or are no frames.
    """
    listed = [metrics] if isinstance(metrics, (str, type, Mapping, SampleMetric)) else metrics
    built = [metric_of(each) for each in listed]
    kinds = {"labels" if "labels" in metric.requires else "frames" for metric in built}
    if len(kinds) != 1:
        mixed = "metrics of frames and of labels need separate calls"
        raise ConfigError(mixed if kinds else "metrics is empty; name at least one, such as 'mse'")
    samples = samples_of(forecast, target, valid, fields, kind=kinds.pop())
    scores: dict[str, float] = {}
    for metric in built:
        if metric.name in scores:
            raise ConfigError(f"two metrics compute {metric.name!r}; they need separate calls")
        if missing := [field for field in metric.requires if field not in samples[0]]:
            raise ConfigError(
                f"{metric.name} requires {' and '.join(missing)} of each sample; pass it by name"
            )
        metric.process(None, samples)
        scores |= metric.evaluate(len(samples))
    return scores


def metric_of(given: Metric) -> SampleMetric:
    """Build the metric of a score name, a registered name, a class or a config.

    Raises:
        ConfigError: If it is unknown, ambiguous or no metric of samples.
    """
    kind: Any = given
    if isinstance(given, str):
        r.METRICS.import_from_location()
        known = r.METRICS.module_dict
        scores = {name: str(getattr(cls, "name", name)) for name, cls in known.items()}
        types = [name for name in known if given in (name, scores[name])]
        if not types:
            raise ConfigError(f"there is no score {given!r}; {nearest(given, scores.values())}")
        if len(types) > 1:
            raise ConfigError(f"{' and '.join(types)} compute {given!r}; pass one of the classes")
        kind = known[types[0]]
    metric = r.METRICS.build({"type": kind} if isinstance(kind, type) else kind)
    if not isinstance(metric, SampleMetric):
        raise ConfigError(f"{given!r} is no metric of samples; derive it from SampleMetric")
    if "labels" in metric.requires and not getattr(metric, "classes", True):
        name = type(metric).__name__
        raise ConfigError(f"{name} needs 'classes', as in dict(type={name!r}, classes=[...])")
    return metric


def register(kind: str) -> Callable[[Class], Class]:
    """Register a class under its name, so that a config can use it as ``type``.

    Use it as a decorator: ``@register("model")``. Running a notebook cell again replaces the class
    of that cell.

    Args:
        kind: What the class is: model, dataset, metric, method or loss.

    Raises:
        ConfigError: If the kind is unknown, or a class of another module has the name.
    """
    if kind not in KINDS:
        raise ConfigError(
            f'register needs the kind of the class, as in @register("model"), not {kind!r}; '
            + nearest(str(kind), KINDS)
        )
    registry = KINDS[kind]

    def add(cls: Class) -> Class:
        registry.import_from_location()
        other = registry.module_dict.get(cls.__name__, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise ConfigError(
                f"the {kind} {cls.__name__} is defined in {other.__module__} already; give the "
                "class another name"
            )
        registry.register_module(module=cls, force=True)
        return cls

    return add
