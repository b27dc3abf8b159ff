"""Published files: existing, copied or fetched, and verified."""

import hashlib
from pathlib import Path

import pytest

from openstl_ext.datasets.download.checksum import Checksum
from openstl_ext.datasets.download.remote_file import RemoteFile
from openstl_ext.errors import DataError
from tests.datasets.download.server import Site, serving

DATA = b"what was published"


def published(*mirrors: str, algorithm: str = "md5") -> RemoteFile:
    digest = hashlib.new(algorithm, DATA).hexdigest()
    return RemoteFile(
        name="a.bin", mirrors=mirrors, checksum=Checksum(algorithm, digest), max_bytes=1000
    )


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_a_file_is_fetched_once(tmp_path: Path, algorithm: str) -> None:
    """Running a tool again would fetch a gigabyte again."""
    messages: list[str] = []
    with serving(Site(files={"/a.bin": DATA})) as site:
        file = published(f"{site.url}/a.bin", algorithm=algorithm)
        for _ in range(2):
            assert file.obtain(tmp_path, report=messages.append).read_bytes() == DATA
        assert len(site.ranges_requested) == 1
    assert messages[-1] == f"a.bin exists ({algorithm.upper()} verified)"


def test_an_existing_file_is_verified_and_not_replaced(tmp_path: Path) -> None:
    """A damaged file would be used, or deleted silently."""
    (tmp_path / "a.bin").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"a\.bin: MD5 is .*; delete it and run this again"):
        published().obtain(tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == b"something else"


def test_a_file_of_the_source_is_verified(tmp_path: Path) -> None:
    """--source would bypass the checksum."""
    here, there = tmp_path / "data", tmp_path / "downloads"
    with pytest.raises(DataError, match=r"--source .*downloads: the folder does not exist"):
        published().obtain(here, source=there)
    (there / "deep").mkdir(parents=True)
    with pytest.raises(DataError, match=r"no a\.bin in it"):
        published().obtain(here, source=there)
    (there / "deep" / "a.bin").write_bytes(b"broken")
    with pytest.raises(DataError, match="the file is damaged or another one"):
        published().obtain(here, source=there)
    assert not here.exists()
    (there / "deep" / "a.bin").write_bytes(DATA)
    assert published().obtain(here, source=there, copy=False) == there / "deep" / "a.bin"
    assert published().obtain(here, source=there).read_bytes() == DATA
    assert {path.name for path in here.iterdir()} == {"a.bin"}


def test_without_a_published_checksum_ours_is_printed(tmp_path: Path) -> None:
    """Users could not compare their files."""
    (tmp_path / "a.bin").write_bytes(DATA)
    messages: list[str] = []
    RemoteFile(name="a.bin", mirrors=(), max_bytes=100).obtain(tmp_path, report=messages.append)
    assert hashlib.sha256(DATA).hexdigest() in messages[0]
