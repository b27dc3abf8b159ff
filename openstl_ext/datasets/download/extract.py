"""Unpack a zip that somebody else made, without trusting it."""

import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from openstl_ext.datasets.formats.npz import DAMAGE
from openstl_ext.errors import DataError

BLOCK = 1 << 20
MAX_MEMBERS = 400_000
MAX_RATIO = 200
"""Largest expansion of a member; pictures and videos hardly shrink, a bomb does by 1000."""

DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

Place = Callable[[PurePosixPath], str | None]


def unpack(
    archive: Path, folder: Path, *, place: Place, max_bytes: int, max_members: int = MAX_MEMBERS
) -> int:
    """Unpack the wanted members of a zip below a folder, and nothing anywhere else.

    Every name is judged, wanted or not: an archive with one bad name is refused as a whole, before
    anything is written.

    Args:
        archive: The zip.
        folder: Where the members go.
        place: Gives the path below the folder for the name of a member; None leaves it out.
        max_bytes: Most bytes that may be written.
        max_members: Most members that the archive may have.

    Returns:
        Number of files written.

    Raises:
        DataError: If the archive is damaged, or holds a name that leads out of the folder, a link,
            a device, an encrypted member, two names that some system takes for one, or more than
            is allowed.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > max_members:
                raise DataError(f"{archive}: {len(members):,} members, {max_members:,} allowed")
            for member in members:
                _judge(archive, member)
            plan = _plan(archive, members, place)
            if (total := sum(member.file_size for member, _ in plan)) > max_bytes:
                raise DataError(f"{archive}: unpacks to {total:,} bytes, {max_bytes:,} allowed")
            for member, target in plan:
                _write(opened, archive, member, folder / target)
    except DataError:
        raise
    except DAMAGE as error:
        raise DataError(
            f"{archive}: cannot be unpacked ({error}); if the disk has room, fetch it again"
        ) from error
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


def _judge(archive: Path, member: zipfile.ZipInfo) -> None:
    """Refuse a member that could write, or point, to elsewhere."""
    name = member.orig_filename
    parts = name.rstrip("/").split("/")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if (
        not name
        or any(ord(letter) < 32 or letter in '\\:*?"<>|' for letter in name)
        or any(part in ("", ".", "..") or part != part.rstrip(". ") for part in parts)
        or any(DEVICES.fullmatch(part) for part in parts)
    ):
        raise DataError(f"{archive}: refused, the member {name!r} has no plain relative path")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{archive}: refused, {name!r} is a link or a device, not a file")
    if member.flag_bits & 1:
        raise DataError(f"{archive}: refused, {name!r} is encrypted")
    if member.file_size > MAX_RATIO * max(member.compress_size, BLOCK):
        raise DataError(
            f"{archive}: refused, {name!r} expands {member.compress_size:,} bytes to "
            f"{member.file_size:,}"
        )


def _write(opened: zipfile.ZipFile, archive: Path, member: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(member) as source, path.open("xb") as file:
        while block := source.read(BLOCK):
            written += len(block)
            if written > member.file_size:
                raise DataError(f"{archive}: {member.filename!r} is larger than it says")
            file.write(block)
