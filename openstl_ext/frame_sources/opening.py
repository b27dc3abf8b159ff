"""Choose the reader of a path by its suffix and content."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from openstl_ext.errors import DataError
from openstl_ext.frame_sources.source import FrameSource, ReadOptions


def open_source(path: Path, options: ReadOptions | None = None) -> FrameSource:
    """Open the sequences of frames of a file or a folder.

    A reader is a module of this package with ``opens(path)``, which decides by the suffix and the
    content, and ``open(path, options)``.

    Args:
        path: File or folder.
        options: What the path cannot state.

    Raises:
        DataError: If there is no such file, no reader opens it, or it is damaged or ambiguous.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise DataError(f"{path}: there is no such file or folder; correct the path")
    if (chosen := options or ReadOptions()).every < 1:
        raise DataError(f"every={chosen.every}, expected 1 for all frames, 2 for every second, ...")
    found = readers()
    for reader in found:
        if reader.opens(path):
            source: FrameSource = reader.open(path, chosen)
            return source
    if path.is_dir() and any(path.glob("*/*.npy")):
        raise DataError(
            f"{path}: folders of .npy need no import; split them with `openstl-ext data split "
            f"--data_path {path}`, and use the dataset FrameFolders"
        )
    if path.is_dir() and any(path.glob("*.nc")):
        raise DataError(
            f"{path}: several netCDF files are not joined; join them along time first, for example "
            f"with `ncrcat {path}/*.nc all.nc`, and import all.nc"
        )
    formats = ", ".join(reader.__name__.rpartition(".")[2] for reader in found)
    raise DataError(
        f"{path}: no frames that can be imported; expected a file or folder of {formats}"
    )


def readers() -> list[ModuleType]:
    """Return the modules of this package that read a format."""
    package = __name__.rpartition(".")[0]
    folder = Path(__file__).parent
    modules = [
        importlib.import_module(f"{package}.{module.name}")
        for module in pkgutil.iter_modules([str(folder)])
    ]
    return [module for module in modules if hasattr(module, "opens")]
