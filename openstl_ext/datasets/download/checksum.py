"""Compare files with published checksums."""

import hashlib
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


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Compute the digest of a file, which is read a block at a time."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
