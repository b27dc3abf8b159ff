"""Published files: addresses, checksum, and local copy."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openstl_ext.atomic_io import atomic_file
from openstl_ext.datasets.download.checksum import Checksum, Signs, digest_of
from openstl_ext.datasets.download.fetch import download
from openstl_ext.errors import DataError
from openstl_ext.leftovers import is_leftover
from openstl_ext.progress_line import print_status


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A published file.

    Args:
        name: File name, here and in a folder given as source.
        mirrors: Addresses, in order of preference.
        checksum: Published checksum, or signs of the file if there is none.
        max_bytes: Largest accepted size.
    """

    name: str
    mirrors: tuple[str, ...]
    checksum: Checksum | Signs
    max_bytes: int

    def obtain(
        self,
        folder: Path,
        *,
        source: Path | None = None,
        copy: bool = True,
        report: Callable[[str], None] = print_status,
    ) -> Path:
        """Get the file into a folder and verify it.

        An existing file is verified and kept. Otherwise it is copied from the source or fetched.

        Args:
            folder: Target folder.
            source: Folder that has the file, in any subfolder; then nothing is fetched.
            copy: Copy the file from the source; otherwise it is used in place.
            report: Called with each message.

        Returns:
            Path of the file.

        Raises:
            DataError: If the file is not available, or has another checksum.
        """
        path = folder / self.name
        if path.is_file():
            self._verify(path, "delete it and run this again")
            report(f"{self.name} exists ({self._proof(path)})")
        elif source is not None:
            found = find(source, self.name)
            self._verify(found, "get it again")
            if not copy:
                report(f"{self.name} found in {found.parent} ({self._proof(found)})")
                return found
            folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as file, found.open("rb") as original:
                shutil.copyfileobj(original, file, 1 << 20)
            report(f"{self.name} copied from {found.parent} ({self._proof(path)})")
        else:
            limit = self.max_bytes
            download(self.mirrors, path, checksum=self.checksum, max_bytes=limit, report=report)
            report(f"{self.name} fetched ({self._proof(path)})")
        return path

    def _verify(self, path: Path, advice: str) -> None:
        self.checksum.verify(path, advice=advice)

    def _proof(self, path: Path) -> str:
        if isinstance(self.checksum, Checksum):
            return f"{self.checksum.algorithm.upper()} verified"
        return f"no published checksum; SHA-256 is {digest_of(path)}"


def find(folder: Path, name: str) -> Path:
    """Find a file by name in a folder or its subfolders.

    Raises:
        DataError: If it does not exist.
    """
    if not folder.is_dir():
        raise DataError(f"--source {folder}: the folder does not exist")
    for path in (folder / name, *sorted(folder.rglob(name))):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(map(is_leftover, parts)):
            return path
    raise DataError(f"--source {folder}: no {name} in it or its subfolders")
