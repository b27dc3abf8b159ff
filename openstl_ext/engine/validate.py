"""Compare an entire config with the constructors of its classes, before anything is built.

A typo in the test loader would otherwise be found after the training.
"""

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import mmengine.runner  # noqa: F401  # registers the parts of mmengine
from mmengine import registry as mm
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.runner import Priority
from torch.utils.data import DataLoader

from openstl_ext import registry as r
from openstl_ext.config.structure import wrong_blocks
from openstl_ext.engine.defaults import HOOKS, LOOPS
from openstl_ext.engine.effects import without_effect
from openstl_ext.engine.layer_decay import paramwise_problems
from openstl_ext.engine.learning_rate import scaling_problems
from openstl_ext.engine.values import bad_values, foreign_problems
from openstl_ext.errors import ConfigError, nearest, shown
from openstl_ext.registry import Registry
from openstl_ext.value_types import argument_problems

# Registry of a nested `type` by its key; others: the registry of the parent, then ANYWHERE.
NESTED = {
    "net": r.MODELS,
    "loss": r.LOSSES,
    "terms": r.LOSSES,
    "teacher_forcing": r.TEACHER_FORCING,
    "data_preprocessor": r.METHODS,
    "dataset": r.DATASETS,
    "optimizer": r.OPTIMIZERS,
    "vis_backends": r.VISBACKENDS,
    "metrics": r.METRICS,
}
ANYWHERE = tuple(value for value in vars(r).values() if isinstance(value, Registry))
ENVIRONMENT = ("cudnn_benchmark", "mp_cfg", "dist_cfg", "resource_limit")
LOADER = ("num_batch_per_epoch",)  # mmengine's own
EMA = ("ema_type", "strict_load", "begin_iter", "begin_epoch")  # the others are its average's
BASES: dict[str, type] = {r.METRICS.name: BaseMetric, r.HOOKS.name: Hook}
REMOVABLE = (*HOOKS, "timer", "sampler_seed", "param_scheduler")
TYPED = ("net", "loss", "teacher_forcing", "data_preprocessor")  # parts that are one class
WRAPPER = ("constructor", "paramwise_cfg")

Problems = Iterator[str]


def validate(cfg: Config) -> None:
    """Look up every type, compare every key with its constructor, and check numbers.

    Raises:
        ConfigError: With each mistake and its place, as in ``model.net: SimVP takes no 'hidd'; did
            you mean 'hidden'?``.
    """
    values = cfg.to_dict()
    problems = list(wrong_blocks(values)) or list(_problems(values))
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))


@contextlib.contextmanager
def located(cfg: Config) -> Iterator[None]:
    """Add the dotted key of a part to an error that its construction raises."""
    try:
        yield
    except ConfigError as error:
        place = _place_of(error.part, cfg.to_dict())
        if not place:
            raise
        raise ConfigError(f"{place}: {error}", part=error.part) from error


def _place_of(part: Any, cfg: Any, where: str = "") -> str | None:
    """Return the dotted key of the dict with a type whose values a part has; None without one."""
    if isinstance(cfg, dict):
        same = isinstance(part, dict) and all(part.get(key) == cfg[key] for key in cfg)
        if same and "type" in cfg:
            return where
    inner = cfg.items() if isinstance(cfg, dict) else enumerate(cfg)
    for key, value in inner:
        deeper = isinstance(value, dict | list | tuple)
        if deeper and (place := _place_of(part, value, f"{where}.{key}".lstrip("."))):
            return place
    return None


def _problems(cfg: dict[str, Any]) -> Problems:
    if not isinstance(cfg.get("model"), dict):
        yield "model: a config needs a model block, as in model = dict(type='DirectForecast', ...)"
    else:
        yield from part(cfg["model"], "model", r.METHODS)
        known = r.METHODS.module_dict
        methods = [name for name, cls in known.items() if hasattr(cls, "answers")]
        name = cfg["model"].get("type")
        if name in known and name not in methods:
            yield f"model: {name} is no method; {nearest(name, methods)}"
    for phase in ("train", "val", "test"):
        yield from _phase(cfg, phase)
    yield from _optimizer(cfg.get("optim_wrapper"))
    for where, scheduler in _each(cfg.get("param_scheduler"), "param_scheduler"):
        known = ("optimizer", "param_name", "end")
        yield from part(
            scheduler, where, r.PARAM_SCHEDULERS, given=known, extra=("convert_to_iter_based",)
        )
    yield from _hooks(cfg)
    yield from part(cfg.get("visualizer"), "visualizer", r.VISUALIZERS, default="Visualizer")
    yield from part(
        cfg.get("log_processor"), "log_processor", r.LOG_PROCESSORS, default="LogProcessor"
    )
    yield from part(
        cfg.get("model_wrapper_cfg"),
        "model_wrapper_cfg",
        r.MODEL_WRAPPERS,
        default="MMDistributedDataParallel",
        given=("module",),
    )
    yield from _keys(cfg.get("env_cfg"), "env_cfg", ENVIRONMENT)
    yield from _keys(
        cfg.get("randomness"), "randomness", ("seed", "deterministic", "diff_rank_seed")
    )
    yield from bad_values(cfg)
    yield from scaling_problems(cfg)
    yield from without_effect(cfg)


def _phase(cfg: dict[str, Any], phase: str) -> Problems:
    """Yield the mistakes in the loader, the metrics and the loop of a phase."""
    yield from _complete(cfg, phase)
    yield from _loader(cfg.get(f"{phase}_dataloader"), f"{phase}_dataloader")
    yield from _evaluator(cfg.get(f"{phase}_evaluator"), f"{phase}_evaluator")
    given = ("runner", "dataloader", "evaluator")
    loop, where, default = cfg.get(f"{phase}_cfg") or {}, f"{phase}_cfg", LOOPS[phase]
    yield from part(loop, where, r.LOOPS, default=default, given=given, extra=("by_epoch",))
    name = loop.get("type", default)
    known = name in {*r.LOOPS.module_dict, *mm.LOOPS.module_dict}
    if known and not issubclass(r.LOOPS.get(name), r.LOOPS.get(default)):
        yield f"{where}: {name} does not resume exactly; use {default}"


def part(
    config: Any,
    where: str,
    registry: Registry,
    *,
    default: str | None = None,
    given: Sequence[str] = (),
    extra: Sequence[str] = (),
) -> Problems:
    """Yield the mistakes in the config of one part, and in the parts inside it.

    Args:
        config: A dict with ``type``; anything else is a built part, or None.
        where: Its dotted path.
        registry: Registry of its type.
        default: Type of a config without one.
        given: Arguments that the runner adds.
        extra: Keys that the runner removes.
    """
    if not isinstance(config, dict):
        return
    own = {k: v for k, v in config.items() if k not in extra}
    own.update({k: None for k in given if k not in own})
    if default is not None:
        own.setdefault("type", default)
    if problem := _mismatch(own, registry, given):
        yield f"{where}: {problem}"
    else:
        arguments = {key: value for key, value in config.items() if key not in extra}
        cls = registry.get(own["type"])
        base = BASES.get(registry.name)
        if base is not None and not (inspect.isclass(cls) and issubclass(cls, base)):
            yield f"{where}: a {registry.name} extends {base.__name__}, and {cls.__name__} does not"
        problems = list(argument_problems(cls, arguments, where))
        yield from problems or foreign_problems(cls, arguments, where)
    yield from _inside(config, where, registry)


def _mismatch(config: dict[str, Any], registry: Registry, given: Sequence[str]) -> str | None:
    """Return the mistake in one part; arguments that the runner adds are optional."""
    try:
        r.check_arguments(config, registry)
    except ConfigError as error:
        unwanted = [k for k in given if f"takes no {k!r}" in str(error)]
        if not unwanted:
            return str(error)
        return _mismatch({k: v for k, v in config.items() if k not in unwanted}, registry, given)
    return None


def _inside(config: dict[str, Any], where: str, registry: Registry) -> Problems:
    """Yield the mistakes in dicts with a type inside a part, alone or in lists, at any depth."""
    for key, value in config.items():
        if key == "clip_grad":  # its type is no class
            continue
        for place, inner in _each(value, f"{where}.{key}"):
            if not isinstance(inner, dict):
                continue
            if "type" in inner or (key in TYPED and place == f"{where}.{key}"):
                yield from part(inner, place, _registry_of(inner.get("type"), key, registry))
            else:
                yield from _inside(inner, place, NESTED.get(key, registry))


def _registry_of(name: Any, key: str, parent: Registry) -> Registry:
    """Return the registry of a nested type: by its key, that of its parent, or any other."""
    if key in NESTED:
        return NESTED[key]
    for registry in (parent, *ANYWHERE):
        try:
            registry.get(name)
        except ConfigError:
            continue
        return registry
    return parent


def _each(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Yield a value, or the items of a list, with their paths."""
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield f"{where}.{index}", item
    else:
        yield where, value


def _loader(config: Any, where: str) -> Problems:
    """Yield the mistakes in a loader: its dataset, its sampler, and arguments of DataLoader."""
    if not isinstance(config, dict):
        return
    if "dataset" not in config:
        yield f"{where}: a loader needs a dataset, as in dataset=dict(type=...)"
    yield from part(config.get("dataset"), f"{where}.dataset", r.DATASETS)
    sampler = config.get("sampler")
    yield from part(
        sampler, f"{where}.sampler", r.SAMPLERS, default="DefaultSampler", given=("dataset",)
    )
    if config.get("batch_sampler") is not None:
        yield f"{where}.batch_sampler: the loops have their own; set batch_size and drop_last"
    if str((sampler or {}).get("type")).endswith("InfiniteSampler"):
        yield f"{where}.sampler: InfiniteSampler has no end of an epoch; use DefaultSampler"
    if config.get("drop_last") and not where.startswith("train"):
        yield f"{where}.drop_last: every sample is evaluated; remove it"
    yield from part(config.get("collate_fn"), f"{where}.collate_fn", r.FUNCTIONS, given=("items",))
    start = f"{where}.worker_init_fn"
    yield from part(config.get("worker_init_fn"), start, r.FUNCTIONS, given=("worker_id",))
    accepted, _, _ = r.constructor_arguments(DataLoader)
    yield from _keys(config, where, (*accepted, *LOADER), owner="a loader")
    yield from argument_problems(DataLoader, config, where)


def _evaluator(config: Any, where: str) -> Problems:
    """Yield the mistakes in metrics: in a list, alone, or inside an evaluator."""
    if isinstance(config, dict) and "metrics" in config:
        yield from part(config, where, r.EVALUATORS, default="Evaluator")
        return
    for place, metric in _each(config, where):
        yield from part(metric, place, r.METRICS)


def _optimizer(config: Any) -> Problems:
    """Yield the mistakes in the wrapper and its optimiser."""
    if not isinstance(config, dict):
        return
    if "optimizer" not in config:
        yield "optim_wrapper: it needs an optimizer, as in optimizer=dict(type='Adam', lr=1e-3)"
        return
    alone = {k: v for k, v in config.items() if k != "optimizer"}
    where = "optim_wrapper"
    yield from part(
        alone, where, r.OPTIM_WRAPPERS, default="OptimWrapper", given=("optimizer",), extra=WRAPPER
    )
    yield from part(
        config["optimizer"], f"{where}.optimizer", r.OPTIMIZERS, given=("params", "model")
    )
    if (name := config.get("constructor")) is not None:
        wrapper = {"type": name, "optim_wrapper_cfg": {}, "paramwise_cfg": None}
        yield from part(wrapper, f"{where}.constructor", r.OPTIM_WRAPPER_CONSTRUCTORS)
    yield from paramwise_problems(config)


def _hooks(cfg: dict[str, Any]) -> Problems:
    """Yield the mistakes in the default and the custom hooks."""
    known: dict[str, Any] = dict(HOOKS)
    for name, hook in (cfg.get("default_hooks") or {}).items():
        where = f"default_hooks.{name}"
        if hook is None and name not in REMOVABLE:
            yield f"{where}: there is no such default hook to remove; {nearest(name, REMOVABLE)}"
        yield from part(
            hook, where, r.HOOKS, default=known.get(name, {}).get("type"), extra=("priority",)
        )
        yield from _hook_arguments(hook, where)
    for where, hook in _each(cfg.get("custom_hooks"), "custom_hooks"):
        yield from part(hook, where, r.HOOKS, extra=("priority",))
        yield from _hook_arguments(hook, where)


def _hook_arguments(hook: Any, where: str) -> Problems:
    """Yield the mistakes in what no constructor of a hook has: its priority, and those of EMA."""
    if not isinstance(hook, dict):
        return
    priority = hook.get("priority", "NORMAL")
    is_number = isinstance(priority, int) and 0 <= priority <= 100
    if not is_number and priority not in Priority.__members__:
        names = nearest(str(priority), Priority.__members__)
        yield f"{where}.priority: expected a name or 0 to 100, not {shown(priority)}; {names}"
    if hook.get("type") == "EMAHook":
        own = {k: v for k, v in hook.items() if k not in (*EMA, "type", "priority")}
        average = {"type": hook.get("ema_type", "ExponentialMovingAverage"), **own}
        yield from part(average, where, r.METHODS, given=("model",))


def _complete(cfg: dict[str, Any], phase: str) -> Problems:
    """Yield the missing blocks of a phase that has some of them."""
    third = "optim_wrapper" if phase == "train" else f"{phase}_evaluator"
    blocks = (f"{phase}_dataloader", f"{phase}_cfg", third)
    missing = [name for name in blocks if cfg.get(name) is None]
    if 0 < len(missing) < len(blocks):
        given = [name for name in blocks if name not in missing]
        yield f"{' and '.join(missing)}: missing, but needed with {' and '.join(given)}"


def _keys(config: Any, where: str, accepted: Sequence[str], owner: str = "it") -> Problems:
    """Yield the unknown keys of a block that is not passed to a constructor."""
    for key in config if isinstance(config, dict) else ():
        if key not in accepted:
            yield f"{where}: {owner} takes no {key!r}; {nearest(key, accepted)}"
