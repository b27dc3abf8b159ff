"""Files over HTTP: whole and verified, or not there."""

import hashlib
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from openstl_ext.datasets.download import fetch as module
from openstl_ext.datasets.download.checksum import Checksum
from openstl_ext.errors import DataError
from tests.datasets.download.server import Site, serving

DATA = random.Random(0).randbytes(1_000_000)
SHA256 = Checksum("sha256", hashlib.sha256(DATA).hexdigest())
download = partial(module.download, max_bytes=2_000_000, pause_seconds=0, say=lambda _: None)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site(files={"/a.bin": DATA})) as site:
        yield site


def get(site: Site, path: Path, checksum: Checksum | None = SHA256) -> None:
    download([f"{site.url}/a.bin"], path, checksum=checksum)


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def test_a_file_arrives(site: Site, tmp_path: Path) -> None:
    """If this fails, nothing can be fetched."""
    get(site, tmp_path / "new" / "a.bin")
    assert (tmp_path / "new" / "a.bin").read_bytes() == DATA
    assert left_in(tmp_path / "new") == {"a.bin"}


def test_a_broken_transfer_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    """If this fails, a gigabyte over a bad line never arrives."""
    site.break_after = [400_000, 100_000]
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.asked == [None, "bytes=400000-", "bytes=500000-"]
    assert site.sent == len(DATA)


def test_another_run_goes_on_with_half_a_file(site: Site, tmp_path: Path) -> None:
    """If this fails, Ctrl-C costs all that had come."""
    (tmp_path / "a.bin.part").write_bytes(DATA[:500_000])
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.sent == len(DATA) - 500_000


def test_a_part_that_is_whole_is_taken(site: Site, tmp_path: Path) -> None:
    """If this fails, a run that was killed right before the last step fetches all again."""
    (tmp_path / "a.bin.part").write_bytes(DATA)
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.sent == 0


@pytest.mark.parametrize("have", [b"of another file" * 100, DATA + b"and more", b"\0" * 999_999])
def test_a_part_of_another_file_is_dropped(site: Site, tmp_path: Path, have: bytes) -> None:
    """If this fails, two halves of two files are one file."""
    (tmp_path / "a.bin.part").write_bytes(have)
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_server_that_ignores_ranges_sends_the_whole(site: Site, tmp_path: Path) -> None:
    """If this fails, the file is appended to the half that was there."""
    site.ranges = False
    site.break_after = [300_000]
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.asked == [None, "bytes=300000-"]


@pytest.mark.parametrize("with_length", [True, False])
def test_what_is_not_what_was_published_never_has_the_name(
    site: Site, tmp_path: Path, with_length: bool
) -> None:
    """If this fails, a mirror decides what a net is trained on."""
    site.with_length = with_length
    site.files["/a.bin"] = DATA[:-1] + b"!"
    with pytest.raises(DataError, match=rf"a\.bin could not.*SHA256 is .*{SHA256.digest}.*source"):
        get(site, tmp_path / "a.bin")
    assert len(site.asked) == 2
    assert left_in(tmp_path) == set()


def test_a_short_transfer_without_a_length_is_found_by_the_checksum(
    site: Site, tmp_path: Path
) -> None:
    """If this fails, a server that does not say how much it sends may send half."""
    site.with_length = False
    site.break_after = [500_000]
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_without_a_checksum_the_promised_length_counts(site: Site, tmp_path: Path) -> None:
    """If this fails, half a file passes where nobody published what it comes to."""
    site.break_after = [10] * 9
    with pytest.raises(DataError, match="broke off 4 times, the last time because"):
        get(site, tmp_path / "a.bin", checksum=None)
    assert left_in(tmp_path) == {"a.bin.part"}
    site.break_after = []
    get(site, tmp_path / "a.bin", checksum=None)
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path) -> None:
    """If this fails, a second of trouble at the other end is a failed night."""
    site.errors = [503, 429]
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_the_next_mirror_is_asked_and_every_answer_told(site: Site, tmp_path: Path) -> None:
    """If this fails, one dead host is the end, or nobody knows which."""
    with serving(Site()) as empty:
        mirrors = [f"{empty.url}/a.bin", f"{site.url}/a.bin"]
        download(mirrors, tmp_path / "a.bin", checksum=SHA256)
        assert empty.asked == [None]
        mirrors = [f"{empty.url}/a.bin", f"{empty.url}/b.bin"]
        with pytest.raises(DataError, match=r"/a\.bin: the server answers 404.*/b\.bin: the"):
            download(mirrors, tmp_path / "b.bin", checksum=SHA256)
    assert (tmp_path / "a.bin").read_bytes() == DATA
    gone = f"{empty.url}/a.bin"
    with pytest.raises(DataError, match="broke off 4 times"):
        download([gone], tmp_path / "c.bin", checksum=SHA256)


@pytest.mark.parametrize("with_length", [True, False])
def test_a_flood_is_refused(site: Site, tmp_path: Path, with_length: bool) -> None:
    """If this fails, a server gone wrong fills the disk."""
    site.with_length = with_length
    with pytest.raises(DataError, match=r"500,000.*expected|more than 500,000"):
        download([f"{site.url}/a.bin"], tmp_path / "a.bin", checksum=None, max_bytes=500_000)
    assert not (tmp_path / "a.bin").exists()


def test_a_full_disk_is_said_before_it_is_full(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this fails, hours of transfer end with an error of the disk."""
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match="MB are needed, 0 MB are free"):
        get(site, tmp_path / "a.bin")


def test_only_the_web_is_fetched_from(tmp_path: Path) -> None:
    """If this fails, a mirror named file: reads whatever lies here."""
    with pytest.raises(DataError, match="only http and https"):
        download(["file:///etc/passwd"], tmp_path / "a", checksum=None)
