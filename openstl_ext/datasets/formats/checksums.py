"""``SHA256SUMS``: checksums of all files of a folder, as ``sha256sum`` writes and compares them.

Most damage leaves an image or an array readable. A prepare tool writes the file, and ``openstl-ext
data verify`` or ``sha256sum --check SHA256SUMS`` compares it.
"""

from collections.abc import Iterator
from pathlib import Path

from openstl_ext.atomic_io import atomic_write, sha256_of
from openstl_ext.errors import DataError
from openstl_ext.leftovers import entries
from openstl_ext.progress_line import tracked
from openstl_ext.text_file import read_lines

NAME = "SHA256SUMS"
CACHE = "cache"
"""Folder of files that are computed from others again."""
SHOWN = 3


def write_checksums(root: Path) -> list[str]:
    """Write the checksums of all files below a folder.

    Returns:
        A message that names files which changed since they were written last, if any.

    Raises:
        DataError: If a name has a line break or a backslash.
    """
    before = _read(root / NAME) if (root / NAME).is_file() else {}
    names = list(_names(root))
    now = {name: sha256_of(root / name) for name in tracked(names, "checksums", "files")}
    lines = [f"{digest}  {name}" for name, digest in now.items()]
    atomic_write(root / NAME, "".join(f"{line}\n" for line in lines).encode())
    changed = [name for name, digest in now.items() if before.get(name, digest) != digest]
    if not changed:
        return []
    return [f"{len(changed)} files changed since {NAME} was written last: {_some(changed)}"]


def verify_checksums(root: Path) -> list[str]:
    """Compare all files below a folder with their checksums.

    Returns:
        Messages: how many files are unchanged, and which are not listed.

    Raises:
        DataError: If there is no list, or a file is missing or has another checksum.
    """
    listed = _read(root / NAME)
    present = set(_names(root))
    missing = [name for name in listed if name not in present]
    changed = [
        name
        for name in tracked(listed, "checksums", "files")
        if name in present and sha256_of(root / name) != listed[name]
    ]
    if missing or changed:
        parts = [f"{len(changed)} changed ({_some(changed)})"] if changed else []
        parts += [f"{len(missing)} missing ({_some(missing)})"] if missing else []
        raise DataError(
            f"{root}: of {len(listed)} files in {NAME}, {' and '.join(parts)}; restore them, or "
            "write the checksums again with --write if you changed them"
        )
    lines = [f"{len(listed)} files are unchanged"]
    if added := sorted(present - listed.keys()):
        lines.append(f"{len(added)} files are not in {NAME}: {_some(added)}")
    return lines


def _names(root: Path) -> Iterator[str]:
    """Yield the paths of all files below a folder, relative to it, in a fixed order."""
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    folders = [root]
    for folder in folders:
        for path in entries(folder):
            name = path.relative_to(root).as_posix()
            if path.is_dir():
                if name != CACHE:
                    folders.append(path)
            elif "\n" in name or "\\" in name:
                raise DataError(f"{str(path)!r}: rename it, checksums need names on one line")
            elif path.is_file() and name != NAME:
                yield name


def _read(path: Path) -> dict[str, str]:
    """Read digests by name."""
    if not path.is_file():
        raise DataError(f"{path} does not exist; write it with --write while the data are good")
    found = {}
    for line in read_lines(path):
        digest, gap, name = line[:64], line[64:66], line[66:]
        if gap not in ("  ", " *") or not name or set(digest) - set("0123456789abcdef"):
            raise DataError(f"{path}: {line!r} is no line of sha256sum; restore it or use --write")
        found[name] = digest
    return found


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
