"""Download of files over HTTP."""

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
download = partial(module.download, max_bytes=2_000_000, pause_seconds=0, report=lambda _: None)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site(files={"/a.bin": DATA})) as site:
        yield site


def get(site: Site, path: Path, checksum: Checksum | None = SHA256) -> None:
    download([f"{site.url}/a.bin"], path, checksum=checksum)


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def test_a_file_is_fetched(site: Site, tmp_path: Path) -> None:
    """No file could be fetched."""
    get(site, tmp_path / "new" / "a.bin")
    assert (tmp_path / "new" / "a.bin").read_bytes() == DATA
    assert files_in(tmp_path / "new") == {"a.bin"}


def test_an_interrupted_transfer_is_resumed(site: Site, tmp_path: Path) -> None:
    """A large file over a bad connection would never be complete."""
    site.break_after = [400_000, 100_000]
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.ranges_requested == [None, "bytes=400000-", "bytes=500000-"]
    assert site.sent == len(DATA)


def test_another_run_resumes_a_partial_file(site: Site, tmp_path: Path) -> None:
    """Ctrl-C would discard all received bytes."""
    (tmp_path / "a.bin.part").write_bytes(DATA[:500_000])
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.sent == len(DATA) - 500_000


def test_a_complete_part_is_used(site: Site, tmp_path: Path) -> None:
    """A run killed before its last step would fetch everything again."""
    (tmp_path / "a.bin.part").write_bytes(DATA)
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.sent == 0


@pytest.mark.parametrize("have", [b"of another file" * 100, DATA + b"and more", b"\0" * 999_999])
def test_a_part_of_another_file_is_replaced(site: Site, tmp_path: Path, have: bytes) -> None:
    """Parts of two files would be joined."""
    (tmp_path / "a.bin.part").write_bytes(have)
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_server_without_ranges_sends_everything(site: Site, tmp_path: Path) -> None:
    """The file would be appended to its own first half."""
    site.ranges = False
    site.break_after = [300_000]
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert site.ranges_requested == [None, "bytes=300000-"]


@pytest.mark.parametrize("with_length", [True, False])
def test_a_file_with_another_checksum_never_gets_the_final_name(
    site: Site, tmp_path: Path, with_length: bool
) -> None:
    """A mirror could change the training data."""
    site.with_length = with_length
    site.files["/a.bin"] = DATA[:-1] + b"!"
    with pytest.raises(DataError, match=rf"a\.bin could not.*SHA256 is .*{SHA256.digest}.*source"):
        get(site, tmp_path / "a.bin")
    assert len(site.ranges_requested) == 2
    assert files_in(tmp_path) == set()


def test_the_checksum_detects_a_short_transfer_without_a_length(site: Site, tmp_path: Path) -> None:
    """Half a file would be used if the server sends no length."""
    site.with_length = False
    site.break_after = [500_000]
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_without_a_checksum_the_length_is_verified(site: Site, tmp_path: Path) -> None:
    """Half a file would be used if no checksum is published."""
    site.break_after = [10] * 9
    with pytest.raises(DataError, match="interrupted 4 times, the last time by"):
        get(site, tmp_path / "a.bin", checksum=None)
    assert files_in(tmp_path) == {"a.bin.part"}
    site.break_after = []
    get(site, tmp_path / "a.bin", checksum=None)
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_a_busy_server_is_tried_again(site: Site, tmp_path: Path) -> None:
    """A short failure of the server would end the download."""
    site.errors = [503, 429]
    get(site, tmp_path / "a.bin")
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_the_next_mirror_is_tried_and_every_answer_reported(site: Site, tmp_path: Path) -> None:
    """One unavailable server would end the download."""
    with serving(Site()) as empty:
        mirrors = [f"{empty.url}/a.bin", f"{site.url}/a.bin"]
        download(mirrors, tmp_path / "a.bin", checksum=SHA256)
        assert empty.ranges_requested == [None]
        mirrors = [f"{empty.url}/a.bin", f"{empty.url}/b.bin"]
        with pytest.raises(DataError, match=r"/a\.bin: the server answers 404.*/b\.bin: the"):
            download(mirrors, tmp_path / "b.bin", checksum=SHA256)
    assert (tmp_path / "a.bin").read_bytes() == DATA
    gone = f"{empty.url}/a.bin"
    with pytest.raises(DataError, match="interrupted 4 times"):
        download([gone], tmp_path / "c.bin", checksum=SHA256)


@pytest.mark.parametrize("with_length", [True, False])
def test_a_transfer_above_the_limit_is_rejected(
    site: Site, tmp_path: Path, with_length: bool
) -> None:
    """A faulty server could fill the disk."""
    site.with_length = with_length
    with pytest.raises(DataError, match=r"expected at most 500,000|more than the expected 500,000"):
        download([f"{site.url}/a.bin"], tmp_path / "a.bin", checksum=None, max_bytes=500_000)
    assert not (tmp_path / "a.bin").exists()


def test_too_little_space_is_reported_before_the_transfer(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of transfer would end in an error."""
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match="MB are needed, 0 MB are available"):
        get(site, tmp_path / "a.bin")


def test_only_http_and_https_are_fetched(tmp_path: Path) -> None:
    """An address such as file: could read any local file."""
    with pytest.raises(DataError, match="expected http or https"):
        download(["file:///etc/passwd"], tmp_path / "a", checksum=None)
