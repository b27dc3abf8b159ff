"""Read checkpoint files without running code from them, in memory bounded by their size."""

import re
import zipfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from openstl_ext.errors import CheckpointError

LIGHTNING = (
    "pytorch_lightning.utilities.parsing",
    "lightning.pytorch.utilities.parsing",
    "lightning_fabric.utilities.data",
    "lightning.fabric.utilities.data",
)
HARMLESS: list[Any] = [Namespace, *((dict, f"{module}.AttributeDict") for module in LIGHTNING)]
"""Classes that Lightning stores beside the weights and that are safe to construct."""

MAX_PICKLE_BYTES = 32 << 20
"""Limit of the part that describes the tensors; 100,000 tensors need half of it."""

ZIP = b"PK\x03\x04"
SAFETENSORS = ".safetensors"


def read_file(path: Path | str, *, allowed: Sequence[Any] = HARMLESS, verify: bool = True) -> Any:
    """Load the content of a checkpoint file on the CPU.

    Args:
        path: A file of ``torch.save``.
        allowed: Classes beyond tensors and plain values that may be constructed.
        verify: Whether to compare the checksums that the file contains; torch does not.

    Raises:
        CheckpointError: If it is missing, truncated, damaged, larger in memory than on the disk, or
            contains other things than tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(absent(path))
    if path.suffix.lower() == SAFETENSORS:
        raise CheckpointError(
            f"{path} has the weights of another system; convert it first: openstl-ext convert "
            f"{path} {path.stem}.pth"
        )
    try:
        check_archive(path, verify=verify)
        with torch.serialization.safe_globals(list(allowed)):
            return torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # torch raises a different exception for each kind of damage
        first = re.split(r"\.\s|\n", str(error))[0]  # later ones advise to run code of the file
        raise CheckpointError(
            f"{path} cannot be read ({type(error).__name__}: {first}); it is truncated, damaged, "
            "or not a checkpoint of tensors and plain values"
        ) from error


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Load the weights and the metadata of a file of the format safetensors on the CPU.

    The library compares the sizes in the header with that of the file, and runs no code from it.

    Raises:
        CheckpointError: If the file is missing, damaged, or has too large a header.
    """
    if not path.is_file():
        raise CheckpointError(absent(path))
    try:
        with path.open("rb") as file:
            described = int.from_bytes(file.read(8), "little")
        if MAX_PICKLE_BYTES < described < path.stat().st_size:
            raise CheckpointError(
                f"{path} describes its tensors in {described:,} bytes, the limit is "
                f"{MAX_PICKLE_BYTES:,}; save the tensors alone"
            )
        with safe_open(path, framework="pt", device="cpu") as opened:
            # copies, because the file may change while its tensors are in use
            weights = {name: opened.get_tensor(name).clone() for name in opened.keys()}  # noqa: SIM118
            return weights, dict(opened.metadata() or {})
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} cannot be read ({error}); it is damaged or not of the format safetensors, so "
            "copy or download it again"
        ) from error


def check_archive(path: Path, *, verify: bool) -> None:
    """Check the sizes that an archive states, and its checksums, before anything is loaded.

    ``torch.save`` does not compress, so an archive that unpacks to more than its own size is not
    one of its files. The older form of its files has no table of sizes; torch reads it as it comes.

    Raises:
        CheckpointError: If a size is too large.
        BadZipFile: If it is damaged.
    """
    with path.open("rb") as file:
        if file.read(len(ZIP)) != ZIP:
            return
    with zipfile.ZipFile(path) as archive:
        members, size = archive.infolist(), path.stat().st_size
        unpacked = sum(member.file_size for member in members)
        if unpacked > size or any(m.compress_type != zipfile.ZIP_STORED for m in members):
            raise CheckpointError(
                f"{path} has {size:,} bytes and unpacks to {unpacked:,}; a checkpoint is not "
                "compressed, so save it again with torch.save"
            )
        described = max((m.file_size for m in members if m.filename.endswith(".pkl")), default=0)
        if described > MAX_PICKLE_BYTES:
            raise CheckpointError(
                f"{path} describes its tensors in {described:,} bytes, the limit is "
                f"{MAX_PICKLE_BYTES:,}; save the tensors of its state dict alone"
            )
        if verify and (damaged := archive.testzip()):
            raise zipfile.BadZipFile(f"the checksum of {damaged} differs")


def absent(path: Path) -> str:
    """Return why there is no file of a checkpoint at a path, and what to do."""
    if path.is_dir():
        return f"{path} is a folder; name a file of weights, such as checkpoints/best_*.pth in it"
    return f"no checkpoint at {path}; check the path"
