"""Unpack zip files from untrusted sources."""

import re
import shutil
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from openstl_ext.datasets.formats.npy import UNREADABLE
from openstl_ext.errors import DataError
from openstl_ext.progress_line import tracked

BLOCK = 1 << 20
MAX_MEMBERS = 400_000
MAX_RATIO = 200
"""Largest expansion of a member: about 1 for images and videos, 1000 for a zip bomb."""

DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

Place = Callable[[PurePosixPath], str | None]


def unpack(
    archive: Path, folder: Path, *, place: Place, max_bytes: int, max_members: int = MAX_MEMBERS
) -> int:
    """Unpack selected members of a zip below a folder, and write nowhere else.

    All members are checked before anything is written; one invalid name rejects the archive.

    Args:
        archive: The zip.
        folder: Folder to write to.
        place: Returns the path below the folder for the name of a member; None skips it.
        max_bytes: Largest number of bytes to write.
        max_members: Largest number of members of the archive.

    Returns:
        Number of files written.

    Raises:
        DataError: If the archive is damaged or exceeds a limit, or has a name outside the folder,
            a link, a device, or two names that are equal on some systems.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > max_members:
                raise DataError(f"{archive}: {len(members):,} members, {max_members:,} allowed")
            for member in members:
                if problem := _problem_of(member):
                    name = member.orig_filename
                    raise DataError(f"{archive}: rejected, the member {name!r} {problem}")
            plan = _plan(archive, members, place)
            if (total := sum(member.file_size for member, _ in plan)) > max_bytes:
                raise DataError(f"{archive}: unpacks to {total:,} bytes, {max_bytes:,} allowed")
            for member, target in tracked(plan, "unpacking", "files"):
                _write(opened, member, folder / target)
    except DataError:
        raise
    except UNREADABLE as error:
        raise DataError(f"{archive}: cannot be unpacked ({error}); fetch it again") from error
    return len(plan)


def _plan(
    archive: Path, members: list[zipfile.ZipInfo], place: Place
) -> list[tuple[zipfile.ZipInfo, str]]:
    plan: list[tuple[zipfile.ZipInfo, str]] = []
    taken: dict[str, str] = {}
    for member in members:
        if member.is_dir() or (target := place(PurePosixPath(member.filename))) is None:
            continue
        folded = unicodedata.normalize("NFC", target).casefold()
        if folded in taken:
            raise DataError(
                f"{archive}: {member.filename!r} would overwrite {taken[folded]!r} on some systems"
            )
        taken[folded] = member.filename
        plan.append((member, target))
    return plan


def _problem_of(member: zipfile.ZipInfo) -> str | None:
    """Return why a member could write outside the folder or fill the disk; None if it cannot."""
    name = member.orig_filename
    parts = name.rstrip("/").split("/")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if (
        not name
        or any(ord(letter) < 32 or letter in '\\:*?"<>|' for letter in name)
        or any(part in ("", ".", "..") or part != part.rstrip(". ") for part in parts)
        or any(DEVICES.fullmatch(part) for part in parts)
    ):
        return "has no plain relative path"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device, not a file"
    if member.file_size > MAX_RATIO * max(member.compress_size, BLOCK):
        return f"expands {member.compress_size:,} bytes to {member.file_size:,}"
    return None


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, path.open("xb") as file:
        shutil.copyfileobj(source, file, BLOCK)
