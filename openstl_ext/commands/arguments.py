"""Arguments that several commands share, and the config that they describe."""

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openstl_ext import cli
from openstl_ext.commands.recipe_arguments import add_recipe, resolve
from openstl_ext.errors import UserError
from openstl_ext.flags.arguments import add_flags, flags_of, place_run

if TYPE_CHECKING:
    from mmengine.config import Config

    from openstl_ext.engine.trained import Trained

AMP = ("+optim_wrapper.type=AutocastOptimWrapper", "+optim_wrapper.dtype=bfloat16")


def add_config(parser: argparse.ArgumentParser, *, flags: Sequence[str] = ()) -> None:
    """Add the config, the overrides of its values and some short flags.

    A recipe or a name may stand for the config, so ``require_config`` must follow the parsing.
    """
    config: Any = parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        help="a name, such as boiling/simvp_gsta_small, or the path of a config or of a run",
    )
    config.completer = complete_config
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="set values of the config, as in train_cfg.max_epochs=5; +KEY=VALUE adds one",
    )
    if flags:
        add_flags(parser, flags)
    add_recipe(parser, with_data="data" not in flags)


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add where and how a run is executed."""
    parser.add_argument("--work-dir", metavar="DIR", help="default: work_dirs/<config>/seed_<seed>")
    parser.add_argument("--seed", type=int, help="seed of everything random in the run")
    parser.add_argument(
        "--launcher",
        choices=("none", "pytorch", "slurm"),
        default="none",
        help="what starts the processes; dist_train.sh and slurm_train.sh set it",
    )
    parser.add_argument(
        "--rank-timeout",
        type=float,
        metavar="SECONDS",
        help="time without progress after which one of several processes hangs (default: 300)",
    )
    parser.add_argument(
        "--track",
        choices=("offline", "online"),
        help="log to Weights & Biases as well; needs pip install wandb",
    )
    add_quiet(parser)


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add the option that leaves out everything but errors, warnings and the result."""
    parser.add_argument(
        "--quiet", action="store_true", help="print errors, warnings and the result only"
    )


def add_uncertain(parser: argparse.ArgumentParser, *, default: str) -> None:
    """Add the arguments of pictures of uncertain forecasts: sources, channel, lead and output."""
    parser.add_argument(
        "sources", nargs="+", type=Path, metavar="SOURCE", help="folder of a run, or a file .npz"
    )
    parser.add_argument("--channel", help="name or number (all together)")
    parser.add_argument("--lead", type=int, help="counted from 1 (all together)")
    parser.add_argument("--out", type=Path, default=Path(default), help="(%(default)s)")


def load_config(
    args: argparse.Namespace,
    *,
    overrides: Sequence[str] = (),
    only_test: bool = False,
    short: bool = True,
) -> "Config":
    """Load the config that the arguments describe.

    Args:
        args: The arguments.
        overrides: Those of a training, which are applied first.
        only_test: Whether the short flags describe the data of a test of a trained model.
        short: Whether to apply the short flags.
    """
    from openstl_ext import config
    from openstl_ext.config.overrides import check_consistent
    from openstl_ext.flags.entries import entries
    from openstl_ext.flags.values import Flags
    from openstl_ext.loader_files import ChoiceWarning
    from openstl_ext.output_path import check_folder

    resolve(args)
    place_run(args)
    if getattr(args, "work_dir", None) is not None:
        check_folder(Path(args.work_dir), option="--work-dir")
    stated = [*args.cfg_options, *(AMP if getattr(args, "amp", False) else ())]
    options = [*overrides, *stated]
    place = {"seed": getattr(args, "seed", None), "work_dir": getattr(args, "work_dir", None)}
    named = "--work-dir" if getattr(args, "name", None) is None else f"--name {args.name}:"
    check_consistent(
        stated, {"seed": ("--seed", place["seed"]), "work_dir": (named, place["work_dir"])}
    )
    cfg = config.load(args.config, options, **place)
    given = flags_of(args) if short else Flags()
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", ChoiceWarning)
        added = entries(cfg.to_dict(), given, stated=stated, only_test=only_test)
    for note in noted:
        if issubclass(note.category, ChoiceWarning):
            cli.warn(str(note.message))
        else:
            warnings.warn_explicit(note.message, note.category, note.filename, note.lineno)
    if added:
        cfg = config.load(args.config, [*options, *added], **place)
    if getattr(args, "launcher", "none") != "none":
        cfg.launcher = args.launcher
    if (seconds := getattr(args, "rank_timeout", None)) is not None:  # no override, as below
        cfg.env_cfg = {**cfg.get("env_cfg", {}), "dist_cfg": {"timeout": seconds}}
    if getattr(args, "track", None):
        cfg.track = args.track  # no override: tracking does not make a run a probe
    return cfg


def load_trained_config(
    args: argparse.Namespace,
    *,
    check: "Callable[[Config], None] | None" = None,
    needs_weights: bool = True,
) -> "tuple[Config, Trained | None]":
    """Load the config that the arguments describe, as the weights of a checkpoint were trained.

    The overrides and the seed of the training are applied first, so that they need not be
    repeated. Sets ``args.checkpoint``, by default to the best one of the work directory.

    Args:
        args: The arguments.
        check: Called with the config before the checkpoint is read.
        needs_weights: Whether there is a checkpoint even if nothing is trained.

    Returns:
        The config, and the training that the checkpoint states.
    """
    cfg = load_config(args, short=False)
    if check is not None:
        check(cfg)
    from openstl_ext.engine.trained import trained_of

    if args.checkpoint is None and not needs_weights and cfg.get("train_dataloader") is None:
        return load_config(args, only_test=True), None
    args.checkpoint = named_checkpoint(args.checkpoint, cfg.work_dir)
    if (trained := trained_of(args.checkpoint)) is None:
        return load_config(args, only_test=True), None
    repeated = argparse.Namespace(**vars(args))
    if getattr(args, "seed", None) is None and not any(
        entry.partition("=")[0].strip("+ ") == "seed" for entry in args.cfg_options
    ):
        repeated.seed = trained.seed
    repeated.work_dir, repeated.name = cfg.work_dir, None
    return load_config(repeated, overrides=trained.overrides, only_test=True), trained


def require_config(args: argparse.Namespace) -> None:
    """Check that there is a config; ``--name`` of a run gives that of its training.

    Raises:
        UserError: If there is none.
    """
    resolve(args)
    place_run(args)
    if args.config is None:
        raise UserError(
            "a CONFIG is missing: give a name such as boiling/simvp_gsta_small (`openstl-ext list` "
            "shows all), a file, the folder of a run, or --recipe NAME --data FOLDER"
        )


def named_checkpoint(name: str | None, work_dir: str) -> str:
    """Return the file of a checkpoint.

    Args:
        name: A file, ``latest`` or ``best`` of the work directory; None for ``best``.
        work_dir: Work directory of the run.
    """
    from openstl_ext.engine import checkpoint, manifest

    if name is None or (name == "best" and not Path(name).exists()):
        return str(checkpoint.best(work_dir))
    if name == "latest" and not Path(name).exists():
        name = str(manifest.checkpoint_folder(work_dir) / manifest.LATEST)
    return str(manifest.resolved(Path(name)))


def complete_config(prefix: str, **_: Any) -> list[str]:
    """Return the names and files that a shell may complete to a config."""
    from openstl_ext.config.names import config_names

    names = [name for name in config_names() if name.startswith(prefix)]
    files = [path for path in Path().glob(f"{prefix}*") if path.suffix == ".py" or path.is_dir()]
    return [*names, *(f"{path}/" if path.is_dir() else str(path) for path in files)]
