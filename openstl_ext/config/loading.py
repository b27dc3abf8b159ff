"""Load a config strictly: what cannot mean anything is an error that says what was meant."""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from openstl_ext.config import overrides as cfg_options
from openstl_ext.config.syntax import check_file, not_plain
from openstl_ext.errors import ConfigError, nearest

BLOCKS = {
    "model": "the method and its net",
    "train_dataloader": "what it learns from",
    "val_dataloader": "what the best checkpoint is chosen on",
    "test_dataloader": "what it is judged on",
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
    "visualizer": "where scalars go",
    "log_processor": "how log lines are made",
    "log_level": "INFO, WARNING ...",
    "env_cfg": "processes and cudnn",
    "randomness": "determinism",
    "model_wrapper_cfg": "how the method is wrapped for many processes",
    "custom_imports": "plugins to import",
    "default_scope": "where unqualified types are looked up",
    "experiment_name": "name of the run in logs",
    "launcher": "none, pytorch or slurm",
    "load_from": "weights to start from",
    "resume": "go on where the run stopped",
    "work_dir": "where the run writes",
    "seed": "what chance depends on",
    "source": "published name, paper, code and claimed numbers",
    "identity": "path of the config, set by the loader",
    "overrides": "what --cfg-options set, set by the loader",
}
"""Every top-level key that means something; mmengine would ignore any other."""
DEFAULTED = tuple(f"{stage}_dataloader.num_workers" for stage in ("train", "val", "test"))
"""Keys inside blocks that an override may set although the config leaves them to the engine."""


def load(
    path: str | Path,
    overrides: Sequence[str] = (),
    *,
    seed: int | None = None,
    work_dir: str | Path | None = None,
) -> Config:
    """Read a config and its bases, and apply overrides.

    Args:
        path: The config file.
        overrides: Entries of ``--cfg-options``; they beat the file, and the record of a run keeps
            them.
        seed: Beats the file; unlike an override it does not make the run a probe.
        work_dir: Beats the file, too. Without one a run writes to
            ``work_dirs/<identity>/seed_<seed>``.

    Returns:
        The config, with ``identity``, ``overrides``, ``seed``, ``work_dir`` and ``default_scope``.

    Raises:
        ConfigError: If the file is missing, is no plain config, has unknown blocks, or an override
            or a plugin does not fit.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ConfigError(f"there is no config {path}; {_near_files(path)}")
    variables = check_file(path, BLOCKS)
    try:
        cfg = Config.fromfile(path, import_custom_modules=False, lazy_import=False)
    except Exception as error:  # whatever mmengine's merging says, the user's file is the cause
        raise ConfigError(f"{path}: {error}") from error
    values = cfg._cfg_dict
    for name in [name for name in values if name not in BLOCKS and name in variables]:
        del values[name]  # `lr = 1e-3`, used further down in the file; nothing reads it any more
    cfg_options.apply(values, overrides, optional=(*BLOCKS, *DEFAULTED))
    for name in values:
        if name not in BLOCKS:
            raise ConfigError(f"{path}: there is no block {name!r}; {nearest(name, BLOCKS)}")
    if problems := list(not_plain(values.to_dict())):
        raise ConfigError(f"{path}: " + "; ".join(problems))
    cfg.seed = int(values.get("seed") or 0) if seed is None else seed
    cfg.identity = identity(path)
    cfg.overrides = list(overrides)
    cfg.default_scope = "openstl_ext"
    default = Path("work_dirs", *cfg.identity.split("/"), f"seed_{cfg.seed}")
    cfg.work_dir = str(work_dir or values.get("work_dir") or default)
    import_plugins(cfg)
    return cfg


def identity(path: str | Path) -> str:
    """What a config is called everywhere: its path below ``configs/``, without the suffix."""
    parts = Path(os.path.abspath(path)).with_suffix("").parts
    if "configs" in parts[:-1]:
        start = len(parts) - parts[::-1].index("configs")
        return "/".join(parts[start:])
    return "/".join(parts[-2:])


def import_plugins(cfg: Config) -> None:
    """Import what ``custom_imports`` names, so that it registers.

    Raises:
        ConfigError: If a module is not found, or fails.
    """
    plugins = cfg.get("custom_imports") or {}
    names = plugins.get("imports") if isinstance(plugins, dict) else None
    if plugins and (names is None or set(plugins) - {"imports", "allow_failed_imports"}):
        raise ConfigError("custom_imports is written custom_imports = dict(imports=['package'])")
    for name in [names] if isinstance(names, str) else names or ():
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = error.name or name
            folder = "its folder" if (name + ".").startswith(missing + ".") else "what it needs"
            raise ConfigError(
                f"custom_imports: {name!r} cannot be imported, as there is no module {missing!r}; "
                f"install {folder}, or put it on the path: PYTHONPATH=<folder> python tools/..."
            ) from error
        except Exception as error:
            raise ConfigError(
                f"custom_imports: {name!r} fails with {type(error).__name__}: {error}"
            ) from error


def _near_files(path: Path) -> str:
    """Configs that may have been meant."""
    root = next((p for p in path.parents if p.name == "configs" and p.is_dir()), Path("configs"))
    known = {p.as_posix() for p in root.rglob("*.py") if "_base_" not in p.parts}
    if path.with_suffix(".py").is_file():
        return f"did you mean {str(path.with_suffix('.py'))!r}?"
    return nearest(path.as_posix(), known) if known else "run the tools from the project's folder"
