"""Published files: existing, copied or fetched, and verified."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from openstl_ext.datasets import taxibj
from openstl_ext.datasets.download.checksum import ZIP, Checksum, Signs
from openstl_ext.datasets.download.remote_file import RemoteFile, find
from openstl_ext.datasets.kth import prepare as kth
from openstl_ext.datasets.moving_mnist import prepare as moving_mnist
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
    file = RemoteFile(name="a.bin", mirrors=(), checksum=Signs(DATA[:4]), max_bytes=100)
    file.obtain(tmp_path, report=messages.append)
    assert hashlib.sha256(DATA).hexdigest() in messages[0]


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("a", bytes(5000))
    return buffer.getvalue()


LOGIN = b"<!DOCTYPE html><html>Log in to continue</html>"
WRONG = {
    "a login page": (Signs(ZIP), LOGIN),
    "another file": (Signs(ZIP), b"\x93NUMPY" + bytes(5000)),
    "a zip that is cut off": (Signs(ZIP), archive()[:-100]),
    "nothing": (Signs(ZIP), b""),
    "a page instead of a text": (Signs(contains=(b"person01", b"frames")), LOGIN),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("way", ["fetched", "source", "present"])
def test_a_file_without_published_checksum_is_compared_with_its_signs(
    tmp_path: Path, kind: str, way: str
) -> None:
    """The login page of a server would get the name of the data."""
    signs, data = WRONG[kind]
    here, there = tmp_path / "data", tmp_path / "there"
    with serving(Site(files={"/a.zip": data}, with_length=False)) as site:
        mirrors = (f"{site.url}/a.zip",)
        file = RemoteFile(name="a.zip", mirrors=mirrors, checksum=signs, max_bytes=9000)
        if way != "fetched":
            folder = here if way == "present" else there
            folder.mkdir()
            (folder / "a.zip").write_bytes(data)
        with pytest.raises(DataError, match="are not this file, or not all of it"):
            file.obtain(here, source=there if way == "source" else None, report=lambda _: None)
    assert (here / "a.zip").exists() == (way == "present")


def test_every_source_has_a_checksum_or_signs() -> None:
    """What a broken server sends would be accepted."""
    files = [*kth.ZIPS.values(), kth.LIST, kth.JPEGS, *moving_mnist.FILES]
    for file in [*files, taxibj.ARCHIVE, taxibj.ARRAYS]:
        assert file.checksum not in (None, Signs())


def test_what_macos_leaves_in_a_source_is_not_taken(tmp_path: Path) -> None:
    """A file of attributes would be taken for the archive."""
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX/a.bin").write_bytes(b"attributes")
    (tmp_path / "z").mkdir()
    (tmp_path / "z/a.bin").write_bytes(DATA)
    assert find(tmp_path, "a.bin") == tmp_path / "z/a.bin"
