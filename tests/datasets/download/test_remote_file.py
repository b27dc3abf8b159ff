"""Published files: there, copied or fetched, and verified each way."""

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
    """If this fails, running a tool again fetches a gigabyte again."""
    said: list[str] = []
    with serving(Site(files={"/a.bin": DATA})) as site:
        file = published(f"{site.url}/a.bin", algorithm=algorithm)
        for _ in range(2):
            assert file.obtain(tmp_path, say=said.append).read_bytes() == DATA
        assert len(site.asked) == 1
    assert said[-1] == f"a.bin is there ({algorithm.upper()} verified)"


def test_what_is_there_is_verified_and_not_replaced(tmp_path: Path) -> None:
    """If this fails, a file that went bad on the disk is used for ever, or silently deleted."""
    (tmp_path / "a.bin").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"a\.bin: its MD5 is .*; delete .*and run this again"):
        published().obtain(tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == b"something else"


def test_a_file_of_the_source_is_verified_before_it_is_taken(tmp_path: Path) -> None:
    """If this fails, --source is a way round the checksum."""
    here, there = tmp_path / "data", tmp_path / "downloads"
    with pytest.raises(DataError, match=r"--source .*downloads: there is no such folder"):
        published().obtain(here, source=there)
    (there / "deep").mkdir(parents=True)
    with pytest.raises(DataError, match=r"has no a\.bin"):
        published().obtain(here, source=there)
    (there / "deep" / "a.bin").write_bytes(b"broken")
    with pytest.raises(DataError, match="the file is damaged or another one"):
        published().obtain(here, source=there)
    assert not here.exists()
    (there / "deep" / "a.bin").write_bytes(DATA)
    assert published().obtain(here, source=there, copy=False) == there / "deep" / "a.bin"
    assert published().obtain(here, source=there).read_bytes() == DATA
    assert {path.name for path in here.iterdir()} == {"a.bin"}


def test_without_a_published_checksum_ours_is_told(tmp_path: Path) -> None:
    """If this fails, two people cannot find out that they have two files."""
    (tmp_path / "a.bin").write_bytes(DATA)
    said: list[str] = []
    RemoteFile(name="a.bin", mirrors=(), max_bytes=100).obtain(tmp_path, say=said.append)
    assert hashlib.sha256(DATA).hexdigest() in said[0]
