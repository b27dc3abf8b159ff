"""Index of the folder of a run, and the commands that use it."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from openstl_ext import __version__
from openstl_ext.atomic_io import PART, atomic_write
from openstl_ext.config.names import find_config
from openstl_ext.errors import ConfigError, UserError

INDEX = "README.md"
MARK = "<!-- written by openstl_ext; changes are lost -->"


@dataclass(frozen=True)
class Kind:
    """A kind of files in the folder of a run.

    Args:
        name: Their name, as the index shows it; ``<...>`` is a part that differs.
        about: What they are.
        comes: Whether a run writes them later, if they are not there yet.
    """

    name: str
    about: str
    comes: Callable[[Runner], bool] = lambda _: False

    @property
    def pattern(self) -> str:
        """Pattern of the paths, relative to the folder."""
        parts = self.name.rstrip("/").replace("<", "\0<").split("\0")
        return "".join("*" + part.partition(">")[2] if part[:1] == "<" else part for part in parts)


def _has_hook(*names: str) -> Callable[[Runner], bool]:
    return lambda runner: any(type(hook).__name__ in names for hook in runner.hooks)


def _tracks(name: str) -> Callable[[Runner], bool]:
    return lambda runner: any(
        type(backend).__name__ == name for backend in runner.visualizer._vis_backends.values()
    )


def _trains(runner: Runner) -> bool:
    return runner.is_training


def _savers(runner: Runner) -> list[Any]:
    """Return the hooks that save checkpoints."""
    return [hook for hook in runner.hooks if hasattr(hook, "save_best")]


def _saves(unit: str) -> Callable[[Runner], bool]:
    """Return a function that says whether checkpoints are named by this unit."""

    def comes(runner: Runner) -> bool:
        if not _trains(runner):
            return False
        by_epoch = runner.train_loop.max_iterations is None
        return (unit == "epoch") == (by_epoch and all(h.by_epoch for h in _savers(runner)))

    return comes


def _chooses(unit: str) -> Callable[[Runner], bool]:
    """Return a function that says whether the best weights are named by this unit."""

    def comes(runner: Runner) -> bool:
        if not _trains(runner) or runner.val_loop is None:
            return False
        by_epoch = runner.train_loop.max_iterations is None
        return (unit == "epoch") == by_epoch and any(h.save_best for h in _savers(runner))

    return comes


def _tests(runner: Runner) -> bool:
    return runner.test_loop is not None and _has_hook("ResultHook")(runner)


KINDS = (
    Kind(
        "<name>.py",
        "the config with all its bases and overrides; commands take it as CONFIG",
        _trains,
    ),
    Kind(
        "checkpoints/epoch_<n>.pth", "complete state after epoch n, for `--resume`", _saves("epoch")
    ),
    Kind(
        "checkpoints/iter_<n>.pth",
        "complete state after iteration n, for `--resume`; within an epoch, after a signal",
        _saves("iter"),
    ),
    Kind("checkpoints/latest.pth", "the newest of these states under one name", _trains),
    Kind(
        "checkpoints/best_epoch_<n>.pth",
        "weights with the best validation score, which a test takes",
        _chooses("epoch"),
    ),
    Kind(
        "checkpoints/best_iter_<n>.pth",
        "weights with the best validation score, which a test takes",
        _chooses("iter"),
    ),
    Kind(
        "checkpoints/manifest.json",
        "the checkpoints with their SHA-256, epochs and validation scores",
        _trains,
    ),
    Kind(
        "<start>/<start>.log", "messages, with the time of each; one file per start", lambda _: True
    ),
    Kind(
        "scalars.jsonl",
        "losses, rates and all validation scores, one JSON object per line",
        lambda r: _trains(r) and _tracks("JsonLinesTracker")(r),
    ),
    Kind(
        "tensorboard/",
        "the same for TensorBoard",
        lambda r: _trains(r) and _tracks("TensorboardXTracker")(r),
    ),
    Kind("wandb/", "the same for Weights & Biases, for `wandb sync`"),
    Kind("wandb_id.txt", "the id of the run at Weights & Biases"),
    Kind(
        "result.json",
        "the record of a test: scores, baselines, costs, protocol, environment; for tables",
        _tests,
    ),
    Kind("result_<checkpoint>_<test>.json", "the record of another checkpoint, or of another test"),
    Kind(
        "metrics.npy", 'the scores of the test by name: `numpy.load("metrics.npy")["mse"]`', _tests
    ),
    Kind("metrics_<checkpoint>_<test>.npy", "those of another checkpoint, or of another test"),
    Kind(
        "tallies.npz", "what was measured of each sample; `leaderboard --compare` reads it", _tests
    ),
    Kind("tallies.<baseline>.npz", "the same for a baseline", _has_hook("BaselinesHook")),
    Kind("tallies_<checkpoint>_<test>.npz", "those of another checkpoint, or of another test"),
    Kind(
        "saved/",
        "inputs, targets and predictions of all test samples; `openstl-ext visualize` draws them",
        _has_hook("PredictionsHook"),
    ),
    Kind("saved_<checkpoint>_<test>/", "those of another checkpoint, or of another test"),
    Kind(
        "calibration.json",
        "margins of the prediction intervals",
        _has_hook("ConformalCalibrationHook"),
    ),
    Kind("calibration_<checkpoint>.json", "those of another checkpoint"),
    Kind("panel.png", "some forecasts", _has_hook("ForecastFigureHook")),
    Kind("<name>.png", "a picture"),
)


def shown(path: Path | str) -> str:
    """Return a path as a user of the current folder would type it."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def config_name(runner: Runner) -> str:
    """Return the name of the config in the folder of a run."""
    return Path(str(runner.cfg.filename or "config.py")).name


def write_config(runner: Any) -> None:
    """Write the merged config, from which every command can repeat the run."""
    text = Config(runner.given).pretty_text
    atomic_write(Path(runner.work_dir) / config_name(runner), text.encode())


def write_index(runner: Runner) -> None:
    """Write ``README.md``: what each file is that is there, or that the run will write.

    The first rank writes it. A file of this name that somebody else has written is kept, and one
    that cannot be written is a warning.
    """
    folder = Path(runner.work_dir)
    path = folder / INDEX
    if runner.rank:
        return
    if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        return
    name = runner.cfg.get("identity") or Path(str(runner.cfg.filename or "run")).stem
    rows = [f"| `{name}` | {about} |" for name, about in _rows(runner, folder)]
    text = "\n".join(
        [
            f"# {name}, seed {runner.seed}",
            "",
            f"Files of this run of openstl_ext {__version__}. The folder can be moved.",
            "",
            "| file | content |",
            "|---|---|",
            *rows,
            "",
            MARK,
            "",
        ]
    )
    try:
        atomic_write(path, text.encode())
    except (OSError, UserError) as error:
        runner.logger.warning(f"the index of the run was not written: {error}")


def _rows(runner: Runner, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and description of each kind of files that is there or will be."""
    seen: set[Path] = set()
    for kind in KINDS:
        found = {path for path in folder.glob(kind.pattern) if not path.name.endswith(PART)} - seen
        seen |= found
        if not found and not kind.comes(runner):
            continue
        if kind.name.startswith("<name>"):
            names = sorted(path.name for path in found)
            names = names or [config_name(runner)]
            yield from ((name, kind.about) for name in names)
        else:
            yield kind.name, kind.about


def command(cfg: Config, verb: str) -> str:
    """Return the command that does something with the run of a config, such as ``test``."""
    words = ["openstl-ext", verb]
    work_dir, file = Path(cfg.work_dir), Path(str(cfg.filename or ""))
    identity = str(cfg.get("identity") or "")
    if not _finds(identity, file):  # a recipe, or a file of the user: the folder has the config
        return shlex.join([*words, str(work_dir)])
    words.append(identity)
    if file.parent != work_dir:
        default = Path("work_dirs", *identity.split("/"))
        if work_dir == default / f"seed_{cfg.seed}":
            words += ["--seed", str(cfg.seed)] if cfg.seed else []
        else:
            words += ["--work-dir", str(work_dir)]
    return shlex.join(words)


def _finds(identity: str, file: Path) -> bool:
    """Return whether a name finds a config file."""
    try:
        return bool(identity) and find_config(identity).samefile(file)
    except (ConfigError, OSError):
        return False
