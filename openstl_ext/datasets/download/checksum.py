"""Whether a file is the one that was published."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from openstl_ext.errors import DataError

BLOCK = 1 << 20


@dataclass(frozen=True)
class Checksum:
    """What a file's bytes come to.

    MD5 and SHA-1 tell a damaged transfer; against an adversary only SHA-256 helps. They are used
    where the publisher gives nothing better.

    Args:
        algorithm: One of sha256, sha1, md5.
        digest: Hexadecimal.
    """

    algorithm: str
    digest: str

    def matches(self, path: Path) -> bool:
        """Whether a file is the one meant."""
        return digest_of(path, self.algorithm) == self.digest.lower()

    def verify(self, path: Path, *, advice: str) -> None:
        """Refuse a file that is not the one meant.

        Raises:
            DataError: With both digests and the advice.
        """
        found = digest_of(path, self.algorithm)
        if found != self.digest.lower():
            raise DataError(
                f"{path}: its {self.algorithm.upper()} is {found}, and {self.digest} was "
                f"published: the file is damaged or another one; {advice}"
            )


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Digest of a file, which is read a block at a time."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
