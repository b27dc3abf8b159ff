"""A published file: where it is, what it comes to, and how to have it here."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.download.checksum import Checksum, digest_of
from openstl_ext.datasets.download.fetch import download
from openstl_ext.errors import DataError


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file that somebody publishes.

    Args:
        name: Its name, here and in a folder given as source.
        mirrors: Addresses, in order of preference.
        checksum: What it comes to; None where nothing is published.
        max_bytes: More than this is not it.
    """

    name: str
    mirrors: tuple[str, ...]
    checksum: Checksum | None = None
    max_bytes: int

    def obtain(
        self,
        folder: Path,
        *,
        source: Path | None = None,
        copy: bool = True,
        say: Callable[[str], None] = print,
    ) -> Path:
        """Have the file in a folder, verified.

        What is there is verified and kept. Else it is copied from the source, which is left as it
        is, or else fetched.

        Args:
            folder: Where it goes.
            source: Folder, with folders, to look for it in; then nothing is fetched.
            copy: Copy what is found in the source; if not, it is used where it lies.
            say: Told what happens, a line each.

        Returns:
            Where it is.

        Raises:
            DataError: If it cannot be had, or what is there is another file.
        """
        path = folder / self.name
        if path.is_file():
            self._verify(path, f"delete {path} and run this again")
            say(f"{self.name} is there ({self._proof(path)})")
        elif source is not None:
            found = find(source, self.name)
            self._verify(found, "get it anew")
            if not copy:
                say(f"{self.name} found in {found.parent} ({self._proof(found)})")
                return found
            folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as file, found.open("rb") as original:
                shutil.copyfileobj(original, file, 1 << 20)
            say(f"{self.name} copied from {found.parent} ({self._proof(path)})")
        else:
            limit = self.max_bytes
            download(self.mirrors, path, checksum=self.checksum, max_bytes=limit, say=say)
            say(f"{self.name} fetched ({self._proof(path)})")
        return path

    def _verify(self, path: Path, advice: str) -> None:
        if self.checksum is not None:
            self.checksum.verify(path, advice=advice)

    def _proof(self, path: Path) -> str:
        if self.checksum is not None:
            return f"{self.checksum.algorithm.upper()} verified"
        return f"no checksum is published; its SHA-256 is {digest_of(path)}"


def find(folder: Path, name: str) -> Path:
    """The file of a name, in a folder or below it.

    Raises:
        DataError: If it is not there.
    """
    if not folder.is_dir():
        raise DataError(f"--source {folder}: there is no such folder")
    for path in (folder / name, *sorted(folder.rglob(name))):
        if path.is_file():
            return path
    raise DataError(f"--source {folder}: has no {name}, neither there nor in a folder below")
