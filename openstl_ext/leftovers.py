"""Files and folders that systems and tools leave among data; all readers of folders pass over them.

A list of known names, not a rule such as "hidden": a sample that is left out silently is worse than
one that is refused.
"""

import re
from fnmatch import translate
from pathlib import Path

from openstl_ext.errors import DataError

NAMES = (
    # macOS
    *("__macosx", ".ds_store", "._*", ".apdisk", ".fseventsd", ".spotlight-v100", "icon\r"),
    *(".temporaryitems", ".trashes", ".documentrevisions-v100"),
    # Windows
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
    # Linux, network file systems and storage servers
    *("lost+found", ".nfs*", ".fuse_hidden*", ".directory", ".trash*", ".snapshot", ".snapshots"),
    *("@eadir", "#recycle", "#snapshot", ".zfs", ".stfolder", ".stversions", ".dropbox*"),
    # editors, office programs, Python, version control, and our own unfinished files
    *(".~lock*", "~$*", "*~", ".*.sw?", ".ipynb_checkpoints", "__pycache__", ".cache"),
    *(".git*", ".svn", ".hg", ".dvc*", ".idea", ".vscode", ".*.part"),
    ".lock",  # folder_lock.LOCK; it remains after a killed process
)
"""Patterns of names in lower case."""
_ANY_NAME = re.compile("|".join(map(translate, NAMES)))  # for the name of every frame


def is_leftover(name: str) -> bool:
    """Return whether a name is that of a known leftover, which holds no data of the user."""
    return bool(_ANY_NAME.match(name.lower()))


def matches(folder: Path, pattern: str) -> list[Path]:
    """Return the paths below a folder that match a pattern of ``glob``, sorted, without leftovers.

    ``*`` also matches what macOS writes beside each file on some disks, ``._name.tif`` for
    ``name.tif``; and a storage server has a folder ``@eaDir`` with the names of the files.
    """
    found = folder.glob(pattern)
    return sorted(p for p in found if not any(map(is_leftover, p.relative_to(folder).parts)))


def entries(folder: Path) -> list[Path]:
    """List a folder by name, without leftovers.

    Raises:
        DataError: If an entry is a link to nothing, as after a partial copy.
    """
    found = sorted(path for path in folder.iterdir() if not is_leftover(path.name))
    for path in found:
        if path.is_symlink() and not path.exists():
            raise DataError(f"{path}: a link to nothing; restore its target or delete the link")
    return found
