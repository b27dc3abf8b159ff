"""Load a config strictly: an unknown key or block is an error that proposes the nearest name."""

import ast
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openstl_ext.config import overrides as cfg_options
from openstl_ext.config.names import find_config
from openstl_ext.config.reading import read
from openstl_ext.config.recipes import Recipe
from openstl_ext.config.structure import wrong_blocks
from openstl_ext.config.syntax import not_plain
from openstl_ext.errors import ConfigError, nearest

if TYPE_CHECKING:  # importing mmengine takes half a second, which names and help need not wait for
    from mmengine.config import Config

BLOCKS = {
    "model": "the method and its net",
    "train_dataloader": "training data",
    "val_dataloader": "data that select the best checkpoint",
    "test_dataloader": "data of the final evaluation",
    "val_evaluator": "metrics of a validation",
    "test_evaluator": "metrics of the test",
    "train_cfg": "the training loop",
    "val_cfg": "the validation loop",
    "test_cfg": "the test loop",
    "optim_wrapper": "optimiser, precision, accumulation, clipping",
    "param_scheduler": "learning rate and momentum over time",
    "auto_scale_lr": "scaling of the learning rate with the batch",
    "default_hooks": "hooks by name",
    "custom_hooks": "more hooks",
    "visualizer": "trackers of scalars and figures",
    "log_processor": "format of log lines",
    "log_level": "INFO, WARNING ...",
    "env_cfg": "processes and cudnn",
    "randomness": "determinism",
    "model_wrapper_cfg": "wrapper of the method for several processes",
    "custom_imports": "plugins to import",
    "default_scope": "registry scope of types without a scope",
    "experiment_name": "name of the run in logs",
    "launcher": "none, pytorch or slurm",
    "load_from": "weights to start from",
    "resume": "continue an interrupted run",
    "work_dir": "folder of the run",
    "seed": "seed of everything random",
    "source": "published name, paper, code and claimed numbers",
    "identity": "path of the config, set by the loader",
    "overrides": "entries of --cfg-options, set by the loader",
}
"""All top-level keys; mmengine ignores any other."""
DEFAULTED = tuple(f"{stage}_dataloader.num_workers" for stage in ("train", "val", "test"))
"""Keys that an override may set although no config has them: the engine sets a default."""


def load(
    path: str | Path | Recipe,
    overrides: Sequence[str] = (),
    *,
    seed: int | None = None,
    work_dir: str | Path | None = None,
) -> "Config":
    """Read a config and its bases, and apply overrides.

    Args:
        path: The config file, or a name such as ``boiling/simvp_gsta_small``, or a recipe on
            imported data.
        overrides: Entries of ``--cfg-options``, which replace values of the file and are stored in
            the record of a run.
        seed: Replaces the seed of the file; unlike an override it does not make the run a probe.
        work_dir: Replaces the folder of the file; by default
            ``work_dirs/<identity>/seed_<seed>``.

    Returns:
        The config, with ``identity``, ``overrides``, ``seed``, ``work_dir`` and ``default_scope``.
        A config that a training saved keeps its identity and overrides, and its folder.

    Raises:
        ConfigError: If the file is missing, has more than plain values or unknown blocks, or if an
            override or a plugin is wrong.
    """
    from mmengine.config import Config

    recipe = path if isinstance(path, Recipe) else None
    path = recipe.path if recipe else find_config(path)  # type: ignore[arg-type]
    values, variables = read(path, BLOCKS)
    for name in [name for name in values if name not in BLOCKS and name in variables]:
        del values[name]  # a variable such as `lr = 1e-3`, which the file has used
    saved = values.get("identity") if is_saved(path) else None
    trained = list(values.get("overrides") or ()) if saved else []
    if recipe:
        recipe.fill(values)
    cfg_options.apply(values, overrides, optional=(*BLOCKS, *DEFAULTED))
    for name in values:
        if name not in BLOCKS:
            raise ConfigError(f"{path}: there is no block {name!r}; {nearest(name, BLOCKS)}")
    if problems := [*not_plain(values), *wrong_blocks(values)]:
        raise ConfigError(f"{path}: " + "; ".join(problems))
    if recipe:
        recipe.check(values)
    cfg = Config(values, filename=str(path))
    cfg.seed = int(values.get("seed") or 0) if seed is None else seed
    cfg.identity = recipe.identity if recipe else saved or identity(path)
    cfg.overrides = [*trained, *(entry for entry in overrides if entry not in trained)]
    cfg.default_scope = "openstl_ext"
    default = Path("work_dirs", *cfg.identity.split("/"), f"seed_{cfg.seed}")
    if saved and (path.parent / "checkpoints").is_dir():
        default = path.parent
    cfg.work_dir = str(work_dir or values.get("work_dir") or default)
    import_plugins(cfg)
    return cfg


def is_saved(path: Path) -> bool:
    """Return whether a config is one that a training wrote: it states its identity itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {
        getattr(node.targets[0], "id", "") for node in tree.body if isinstance(node, ast.Assign)
    }
    return {"identity", "overrides"} <= names and "_base_" not in names


def identity(path: str | Path) -> str:
    """Return the name of a config: its path below ``configs/``, without the suffix."""
    parts = Path(os.path.abspath(path)).with_suffix("").parts
    if "configs" in parts[:-1]:
        start = len(parts) - parts[::-1].index("configs")
        return "/".join(parts[start:])
    return "/".join(parts[-2:])


def import_plugins(cfg: "Config | dict[str, Any]") -> None:
    """Import the modules of ``custom_imports``, so that their classes are registered.

    Modules in the current folder are found, too.

    Raises:
        ConfigError: If a module is not found, or fails.
    """
    plugins = cfg.get("custom_imports") or {}
    names = plugins.get("imports") if isinstance(plugins, dict) else None
    names = [names] if isinstance(names, str) else names
    if plugins and (
        not isinstance(names, list | tuple)
        or not all(isinstance(name, str) for name in names)
        or set(plugins) - {"imports", "allow_failed_imports"}
    ):
        raise ConfigError("custom_imports is written custom_imports = dict(imports=['package'])")
    for name in names or ():
        _make_importable(name.partition(".")[0])
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or name
            plugin = (name + ".").startswith(missing + ".")
            raise ConfigError(
                f"custom_imports: {name!r} cannot be imported, as there is no module {missing!r}; "
                f"install {'its folder' if plugin else 'what it needs'}, call the command where it "
                "lies, or put it on the path: PYTHONPATH=<folder> openstl-ext ..."
            ) from error
        except Exception as error:
            raise ConfigError(
                f"custom_imports: {name!r} fails with {type(error).__name__}: {error}"
            ) from error


def _make_importable(plugin: str) -> None:
    """Add the current folder to the path if a plugin lies there; a console script has it not.

    Last, so that no file of the folder hides an installed package.
    """
    here = Path.cwd()
    if str(here) not in sys.path and (
        (here / plugin).is_dir() or (here / f"{plugin}.py").is_file()
    ):
        sys.path.append(str(here))
