"""Registries: find the class of a name in a config.

mmengine's Runner builds ``cfg.model`` and everything around it from its own root registries, and a
root accepts one child per scope. So METHODS is the child of mmengine's MODELS (preprocessors
register in it too), and MODELS, TRANSLATORS, LOSSES and TEACHER_FORCING are roots of this package.
Every other root of mmengine has a child here, because mmengine warns of each missing one.
"""

import functools
import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine import registry as mm

from openstl_ext.errors import ConfigError, UserError, nearest, shown
from openstl_ext.value_types import argument_problems

SCOPE = "openstl_ext"


def _reported(build: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that builds a part, and reports values that its constructor refuses."""

    @functools.wraps(build)
    def built(cfg: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return build(cfg, *args, **kwargs)
        except (UserError, OSError):
            raise
        except Exception as error:
            kind = (cfg.get("type") if isinstance(cfg, dict) else None) or "a part without type"
            name = getattr(kind, "__name__", str(kind))
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise ConfigError(
                f"{name} cannot be built from its arguments: {type(error).__name__}: {error} "
                f"({Path(place.filename).name}, line {place.lineno})",
                part=cfg,
            ) from error

    return built


class Registry(mm.Registry):
    """Registry of names; an error proposes the nearest ones, a built part is returned unchanged.

    Args:
        name: What is registered, in the singular, for error messages.
        parent: mmengine's root, or None for a root of ours.
        package: Package whose modules register themselves here; imported at the first look-up.
    """

    def __init__(
        self, name: str, *, parent: mm.Registry | None = None, package: str | None = None
    ) -> None:
        location = [f"{SCOPE}.{package}"] if package else []
        build = _reported(mm.build_from_cfg if parent is None else parent.build_func)
        super().__init__(name, build_func=build, parent=parent, scope=SCOPE, locations=location)
        if parent is not None:  # mmengine looks up and builds its own parts by its root
            parent.get = self.get  # type: ignore[method-assign]
            parent.build_func = build

    def get(self, key: str | type) -> Any:
        """Return the class of a registered name, or of ``scope.name``; a class is returned as is.

        mmengine's own look-up also imports any dotted path, which no config check can cover.

        Raises:
            ConfigError: With the nearest names, if nothing of that name is registered.
        """
        if not isinstance(key, str):
            if callable(key):
                return key
            raise ConfigError(
                f"the type of a {self.name} is a registered name, not {shown(key)}; "
                f"{self.suggest(str(key))}"
            )
        root: mm.Registry = self.parent or self
        scopes = {root.scope: [root], **{name: [part] for name, part in root.children.items()}}
        scope, name = self.split_scope_key(key)
        found = None
        for registry in scopes.get(scope, []) if scope else [self, root]:
            registry.import_from_location()
            found = found or registry.module_dict.get(name)
        if found is None:
            path = ", and import paths are no names" if "." in key else ""
            raise ConfigError(
                f"{shown(key)} is not a registered {self.name}{path}; {self.suggest(name)}"
            )
        return found

    def suggest(self, key: str) -> str:
        """Return a proposal of the nearest registered names, ours and those of mmengine."""
        known = set(self.module_dict)
        if self.parent is not None:
            known |= set(self.parent.module_dict)
        return nearest(key[:100], known)

    def build(self, cfg: Any, *args: Any, **kwargs: Any) -> Any:
        """Build a part from its config; a built part is returned unchanged.

        Raises:
            ConfigError: If the type is unknown, or an argument does not fit the class.
        """
        if cfg is None or not isinstance(cfg, dict):
            return cfg
        given = {**(kwargs.get("default_args") or {}), **cfg}
        check_arguments(given, self)
        cls = self.get(given["type"])
        for problem in argument_problems(cls, given, getattr(cls, "__name__", str(cls))):
            raise ConfigError(problem, part=cfg)
        return super().build(cfg, *args, **kwargs)


RENAMED = {"feed": "teacher_forcing"}
"""Config keys of earlier versions and their new names, which are too different for a proposal."""


def check_arguments(cfg: dict[str, Any], registry: Registry) -> None:
    """Compare the keys of a config with the arguments of its class.

    Args:
        cfg: A dict with ``type`` and keyword arguments.
        registry: Where the type is looked up.

    Raises:
        ConfigError: With the nearest argument names, if a key is unknown, or if a required
            argument is missing.
    """
    if "type" not in cfg:
        raise ConfigError(f"a {registry.name} needs a `type`; got keys {sorted(cfg)}", part=cfg)
    try:
        cls = registry.get(cfg["type"])
    except ConfigError as error:
        raise ConfigError(str(error), part=cfg) from None
    given = {k for k in cfg if k not in ("type", "_scope_")}
    accepted, required, open_ended = constructor_arguments(cls)
    name = getattr(cls, "__name__", str(cls))
    for key in sorted(given - accepted) if not open_ended else ():
        renamed = RENAMED.get(key) if RENAMED.get(key) in accepted else None
        remedy = f"its name is now {renamed!r}" if renamed else nearest(key, accepted)
        raise ConfigError(f"{name} takes no {key!r}; {remedy}", part=cfg)
    if missing := sorted(required - given):
        raise ConfigError(f"{name} needs {', '.join(map(repr, missing))}", part=cfg)


ROOTS = ("object", "Module")
"""Classes whose constructors have ``**kwargs`` but reject any; a class that inherits such a
constructor takes no argument."""


def constructor_arguments(cls: Any) -> tuple[set[str], set[str], bool]:
    """Return accepted and required arguments, and whether any other argument is accepted.

    ``**kwargs`` are passed to the next constructor of the MRO, as mmengine does. Any argument is
    accepted only if the last constructor has ``**kwargs``.
    """
    accepted: set[str] = set()
    required: set[str] = set()
    chain = [c for c in cls.__mro__ if "__init__" in vars(c)] if inspect.isclass(cls) else [cls]
    for depth, owner in enumerate(chain):
        if depth == 0 and getattr(owner, "__qualname__", "") in ROOTS:
            break
        function = owner.__init__ if inspect.isclass(owner) else owner
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except ValueError:  # a constructor written in C has no signature
            return accepted, required, True
        parameters = parameters[1:] if inspect.isclass(owner) else parameters
        named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        accepted |= {p.name for p in named}
        if depth == 0:
            required |= {p.name for p in named if p.default is p.empty}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    else:
        return accepted, required, True
    return accepted, required, False


MODELS = Registry("model", package="models")
TRANSLATORS = Registry("translator", package="models.translators")
LOSSES = Registry("loss", package="losses")
TEACHER_FORCING = Registry("teacher forcing", package="methods")
METHODS = Registry("method", parent=mm.MODELS, package="methods")
DATASETS = Registry("dataset", parent=mm.DATASETS, package="datasets")
METRICS = Registry("metric", parent=mm.METRICS, package="metrics")
HOOKS = Registry("hook", parent=mm.HOOKS, package="hooks")
TRANSFORMS = Registry("transform", parent=mm.TRANSFORMS, package="datasets")
SAMPLERS = Registry("data sampler", parent=mm.DATA_SAMPLERS, package="engine")
LOOPS = Registry("loop", parent=mm.LOOPS, package="engine")
OPTIM_WRAPPERS = Registry("optimizer wrapper", parent=mm.OPTIM_WRAPPERS, package="engine")
VISBACKENDS = Registry("tracker", parent=mm.VISBACKENDS, package="engine")
FUNCTIONS = Registry("function", parent=mm.FUNCTIONS, package="engine")
OPTIMIZERS = Registry("optimizer", parent=mm.OPTIMIZERS)
PARAM_SCHEDULERS = Registry("parameter scheduler", parent=mm.PARAM_SCHEDULERS, package="engine")
RUNNERS = Registry("runner", parent=mm.RUNNERS)
RUNNER_CONSTRUCTORS = Registry("runner constructor", parent=mm.RUNNER_CONSTRUCTORS)
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    "optimizer wrapper constructor", parent=mm.OPTIM_WRAPPER_CONSTRUCTORS, package="engine"
)
MODEL_WRAPPERS = Registry("model wrapper", parent=mm.MODEL_WRAPPERS, package="engine")
WEIGHT_INITIALIZERS = Registry("weight initializer", parent=mm.WEIGHT_INITIALIZERS)
EVALUATORS = Registry("evaluator", parent=mm.EVALUATOR)
TASK_UTILS = Registry("task utility", parent=mm.TASK_UTILS)
VISUALIZERS = Registry("visualizer", parent=mm.VISUALIZERS)
LOG_PROCESSORS = Registry("log processor", parent=mm.LOG_PROCESSORS, package="hooks")
INFERENCERS = Registry("inferencer", parent=mm.INFERENCERS)
STRATEGIES = Registry("strategy", parent=mm.STRATEGIES)
