"""Check the installation: environment, accelerators, scan backends, data, disk space.

Each thing that is not right is followed by a remedy. The status is 2 if something is broken;
missing data and optional packages do not count.
"""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from openstl_ext import __version__, cli
from openstl_ext.commands import demo
from openstl_ext.errors import DatasetNotFoundError, UserError

PACKAGES = ("torch", "mmengine-lite", "numpy", "matplotlib")
EXTRAS = {
    "rasterio": "GeoTIFF rasters",
    "xarray": "netCDF, HDF5 and zarr",
    "h5netcdf": "netCDF",
    "h5py": "HDF5",
    "zarr": "zarr",
    "wandb": "Weights & Biases",
    "argcomplete": "completion in the shell",
}
ENOUGH_BYTES = 5e9


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        text: What was found.
        remedy: What to do if it is not right; empty if it is.
        broken: Whether something that should work does not.
    """

    text: str
    remedy: str = ""
    broken: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(args: argparse.Namespace) -> None:  # noqa: ARG001
    """Print all findings; status 2 if one is broken."""
    sections = {
        "environment": environment,
        "accelerators": accelerators,
        "selective scan": scan_backends,
        "data": data,
        "disk": disk,
    }
    broken = False
    for title, find in sections.items():
        cli.print_line(title)
        for finding in find():
            cli.print_line(f"  {finding.text}")
            if finding.remedy:
                cli.print_line(f"      remedy: {finding.remedy}")
            broken |= finding.broken
        if broken and find is environment:
            break  # the other sections need these packages
    if broken:
        cli.exit_process(2)


def environment() -> Iterator[Finding]:
    """Find versions of Python and of packages."""
    yield Finding(f"openstl_ext {__version__} in {Path(__file__).parents[1]}")
    yield Finding(f"Python {platform.python_version()} on {platform.platform()}, {sys.executable}")
    for package in PACKAGES:
        try:
            yield Finding(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            yield Finding(f"{package} is not installed", f"pip install {package}", broken=True)
    for package, purpose in EXTRAS.items():
        try:
            yield Finding(f"{package} {metadata.version(package)} ({purpose})")
        except metadata.PackageNotFoundError:
            remedy = f"pip install {package}, if you need it"
            yield Finding(f"{package} is not installed ({purpose})", remedy)


def accelerators() -> Iterator[Finding]:
    """Find the devices on which torch can compute."""
    import torch

    yield Finding(f"cpu: {os.cpu_count()} cores, {torch.get_num_threads()} threads of torch")
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        name = torch.cuda.get_device_name(index)
        yield Finding(f"cuda:{index}: {name}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free")
    if not torch.cuda.is_available():
        has_gpu = Path("/proc/driver/nvidia/version").exists()
        built = torch.version.cuda is not None
        reason = "no device is visible" if built else f"torch {torch.__version__} has no CUDA"
        remedy = "install torch for the CUDA version of the driver: https://pytorch.org/get-started"
        yield Finding(f"cuda: {reason}", remedy if has_gpu else "", broken=has_gpu)


def scan_backends() -> Iterator[Finding]:
    """Find which backends of the selective scan run on which device, and why others do not."""
    import torch

    from openstl_ext.ops.selective_scan import BACKENDS, obstacle
    from openstl_ext.ops.selective_scan.compiled import OPT_OUT

    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        for name in BACKENDS:
            reason = obstacle(name, torch.device(device), torch.float32)
            broken = reason is not None and reason.broken
            remedy = ""
            if name == "native" and device == "cpu" and reason:
                remedy = "install a C++ compiler (g++ or clang++), or name one in CXX"
                if OPT_OUT in reason:
                    remedy = f"unset {OPT_OUT}"
            elif broken:
                remedy = f"reinstall {name}, or uninstall it to use the next backend"
            yield Finding(f"{name} on {device}: {reason or 'available'}", remedy, bool(broken))


def data() -> Iterator[Finding]:
    """Find which data of the recipes are there."""
    from openstl_ext import config

    recipes: dict[tuple[str, str], list[Any]] = {}
    for name in config.config_names():
        try:
            dataset = config.load(name).train_dataloader.dataset
        except (UserError, AttributeError) as error:  # a config of the user, in ./configs
            yield Finding(f"{name}: {error}", "correct this config")
            continue
        recipes.setdefault((dataset.type, str(dataset.get("root", ""))), []).append(dataset)
    for (kind, root), datasets in sorted(recipes.items(), key=lambda item: item[0][1]):
        count = f"{kind}, {len(datasets)} recipe{'s' * (len(datasets) > 1)}"
        folder = Path(root)
        if folder.is_dir() and any(folder.iterdir()):
            yield Finding(f"{root}: found ({count})")
        else:
            yield Finding(f"{root}: missing ({count})", remedy_of(datasets[0]))


def remedy_of(dataset: dict[str, Any]) -> str:
    """Return the command that writes the data of a dataset."""
    from openstl_ext.registry import DATASETS

    if Path(dataset["root"]) == Path(demo.DATA):
        return "openstl-ext demo"
    try:
        DATASETS.build(dataset)
    except DatasetNotFoundError as error:
        return error.prepare
    except UserError as error:
        return str(error)
    return "see the documentation of the dataset"


def disk() -> Iterator[Finding]:
    """Find whether the current folder can hold runs."""
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    full = free < ENOUGH_BYTES
    remedy = "free space, or work in another folder" if full else ""
    yield Finding(f"{here}: {free / 1e9:.1f} GB free", remedy, broken=full)
    if not os.access(here, os.W_OK):
        yield Finding(f"{here} is not writable", "work in another folder", broken=True)
