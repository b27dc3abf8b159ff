"""Find a config by path or by name, such as ``boiling/simvp_gsta_small``.

The configs of this package are installed as ``openstl_ext/configs``; a checkout has them in
``configs`` beside the package.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from openstl_ext.errors import ConfigError, nearest

PACKAGE = Path(__file__).parents[1]
LOCAL = Path("configs")


def installed_configs() -> Path:
    """Return the folder of the configs that come with this package."""
    inside = PACKAGE / "configs"
    return inside if inside.is_dir() else PACKAGE.parent / "configs"


def config_names() -> list[str]:
    """Return the names of all recipes below ./configs and below the installed configs."""
    return sorted({name for root in (LOCAL, installed_configs()) for name in _names_below(root)})


def find_config(config: str | Path) -> Path:
    """Return the file of a config.

    Args:
        config: A path, or a name below ``./configs`` or below the installed configs; the suffix
            may be left out. The folder of a run means the config that its training saved.

    Raises:
        ConfigError: If there is no such file; it proposes the nearest.
    """
    path = Path(config).expanduser()
    if path.name in ("", ".."):
        raise ConfigError(
            f"{str(config)!r} is no config; give a file, or a name such as boiling/simvp_gsta_small"
        )
    for found in _candidates(path, Path()):
        return found
    if (path / "checkpoints").is_dir():
        return _of_run(path)
    raise ConfigError(f"there is no config {path}; {_propose(path)}")


def _of_run(folder: Path) -> Path:
    """Return the config that a training saved in its folder."""
    found = sorted(folder.glob("*.py"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ConfigError(
            f"{folder} should have one config, that of its training, but has {names}; give a config"
        )
    return found[0]


def find_base(config: Path, base: str) -> Path:
    """Return the file of an entry of ``_base_``: a path beside the config, or a name.

    Args:
        config: The file that has the entry.
        base: The entry.

    Raises:
        ConfigError: If there is no such file.
    """
    found = list(_candidates(Path(base), config.parent))
    for file in found:
        if not file.samefile(config):  # a config may extend the installed one of its name
            return file
    if found:
        return found[0]
    raise ConfigError(
        f"{config}: there is no base {base!r}, looked for at {config.parent / base}, and below "
        f"{LOCAL.resolve()} and {installed_configs()}"
    )


def _candidates(path: Path, folder: Path) -> Iterator[Path]:
    """Yield the files that a path or name can mean, in order of preference."""
    for root in (folder, LOCAL, installed_configs()):
        for file in (root / path, root / f"{path}.py"):
            with contextlib.suppress(OSError):  # a name that is too long for the file system
                if file.is_file():
                    yield file


def _names_below(root: Path) -> list[str]:
    files = (path.relative_to(root).with_suffix("") for path in root.rglob("*.py"))
    return [path.as_posix() for path in files if "_base_" not in path.parts]


def _propose(path: Path) -> str:
    """Return the nearest paths and names."""
    if path.with_suffix(".py").is_file():
        return f"did you mean {str(path.with_suffix('.py'))!r}?"
    folder = next((p for p in path.parents if p.name == "configs" and p.is_dir()), LOCAL)
    known = {f"{(folder / name).as_posix()}.py" for name in _names_below(folder)}
    if path.suffix != ".py":
        known = set(config_names())
    proposal = nearest(path.as_posix(), known)
    return proposal if proposal.startswith("did you mean") else "`openstl-ext list` shows all names"
