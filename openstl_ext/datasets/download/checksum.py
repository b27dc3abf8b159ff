"""Compare files with published checksums, or with what is known of a file without one."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from openstl_ext.errors import DataError

BLOCK = 1 << 20


@dataclass(frozen=True)
class Checksum:
    """Checksum of a file.

    MD5 and SHA-1 detect a damaged transfer; only SHA-256 protects against an attacker. They are
    used if the publisher gives nothing better.

    Args:
        algorithm: One of sha256, sha1, md5.
        digest: Hexadecimal.
    """

    algorithm: str
    digest: str

    def matches(self, path: Path) -> bool:
        """Return whether a file has this checksum."""
        return digest_of(path, self.algorithm) == self.digest.lower()

    def verify(self, path: Path, *, advice: str) -> None:
        """Raise an error if a file has another checksum.

        Raises:
            DataError: With both digests and the advice.
        """
        found = digest_of(path, self.algorithm)
        if found != self.digest.lower():
            raise DataError(
                f"{path}: {self.algorithm.upper()} is {found}, expected the published "
                f"{self.digest}: the file is damaged or another one; {advice}"
            )


ZIP = b"PK\x03\x04"
"""First bytes of a zip, and of a .npz."""


@dataclass(frozen=True)
class Signs:
    """What a complete file of the right kind has, where no checksum is published.

    It detects the page of a login or an error, another file, and a zip that is cut off.

    Args:
        begins: First bytes. If they are those of a zip, its directory at the end is needed too.
        contains: Texts of a small file.
    """

    begins: bytes = b""
    contains: tuple[bytes, ...] = ()

    def matches(self, path: Path) -> bool:
        """Return whether a file has these signs."""
        with path.open("rb") as file:
            if not file.read(len(self.begins)).startswith(self.begins):
                return False
            text = file.read() if self.contains else b""
        has_end = self.begins != ZIP or zipfile.is_zipfile(path)
        return has_end and all(part in text for part in self.contains)

    def verify(self, path: Path, *, advice: str) -> None:
        """Raise an error if a file does not have them.

        Raises:
            DataError: With the size and the first bytes.
        """
        if not self.matches(path):
            with path.open("rb") as file:
                start = file.read(16)
            raise DataError(
                f"{path}: {path.stat().st_size:,} bytes that begin with {start!r} are not this "
                f"file, or not all of it; {advice}"
            )


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Compute the digest of a file, which is read a block at a time."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
