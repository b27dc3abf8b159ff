"""Untrusted zip files."""

import stat
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from openstl_ext.datasets.download import extract as module
from openstl_ext.datasets.download.extract import unpack
from openstl_ext.errors import DataError


def zipped(path: Path, members: dict[str, bytes], **attributes: int) -> Path:
    """Write a zip of some members; ``attributes`` are set on the first."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, data) in enumerate(members.items()):
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in attributes.items() if number == 0 else ():
                setattr(info, key, value)
            archive.writestr(info, data)
    return path


def everything(name: PurePosixPath) -> str:
    return str(name)


def test_selected_members_are_unpacked(tmp_path: Path) -> None:
    """No archive could be used."""
    made = zipped(tmp_path / "a.zip", {"x/1.jpg": b"one", "x/": b"", "notes.txt": b"no"})
    count = unpack(
        made,
        tmp_path / "out",
        place=lambda name: f"pictures/{name.name}" if name.suffix == ".jpg" else None,
        max_bytes=100,
    )
    assert count == 1
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files == [tmp_path / "out" / "pictures" / "1.jpg"]
    assert files[0].read_bytes() == b"one"


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "a/../../evil", "/etc/evil", "a//b", "./a", "a/./b", "..", "a/..", ""),
        *("C:/evil", "C:evil", "..\\evil", "a\\b", "\\\\host\\share", "a\nb", "a\x1bb"),
        *("con", "a/NUL.txt", "com1", "a./b", "a /b", "a?", "x:stream"),
    ],
)
def test_names_outside_the_folder_are_rejected(tmp_path: Path, name: str) -> None:
    """An archive could overwrite any file."""
    made = zipped(tmp_path / "a.zip", {"good": b"1", name: b"evil"})
    with pytest.raises(DataError, match=r"a\.zip: rejected, the member"):
        unpack(made, tmp_path / "out" / "deep", place=everything, max_bytes=100)
    assert {path.name for path in tmp_path.rglob("*")} == {"a.zip"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_rejected(tmp_path: Path, kind: int) -> None:
    """A link could lead the next member out of the folder."""
    made = zipped(tmp_path / "a.zip", {"link": b"/etc/passwd"}, external_attr=(kind | 0o777) << 16)
    with pytest.raises(DataError, match="a link or a device"):
        unpack(made, tmp_path / "out", place=everything, max_bytes=100)
    assert not (tmp_path / "out").exists()


def test_a_zip_bomb_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small archive could fill the disk."""
    zeros = zipped(tmp_path / "a.zip", {"zeros": bytes(3_000_000)})
    with pytest.raises(DataError, match=r"unpacks to 3,000,000 bytes, 2,000,000 allowed"):
        unpack(zeros, tmp_path / "out", place=everything, max_bytes=2_000_000)
    many = zipped(tmp_path / "b.zip", {str(n): b"" for n in range(11)})
    with pytest.raises(DataError, match="11 members, 10 allowed"):
        unpack(many, tmp_path / "out", place=everything, max_bytes=100, max_members=10)
    monkeypatch.setattr(module, "BLOCK", 1000)
    with pytest.raises(DataError, match=r"expands [\d,]+ bytes to 3,000,000"):
        unpack(zeros, tmp_path / "out", place=everything, max_bytes=10**9)
    assert not (tmp_path / "out").exists()


def test_names_that_are_equal_on_some_systems_are_rejected(tmp_path: Path) -> None:
    """A set would have fewer files on another system."""
    for names in (("A.jpg", "a.jpg"), ("\u00e9.jpg", "e\u0301.jpg"), ("x/1", "X/1")):
        made = zipped(tmp_path / "a.zip", dict.fromkeys(names, b"1"))
        with pytest.raises(DataError, match="would overwrite"):
            unpack(made, tmp_path / "out", place=everything, max_bytes=100)
        assert not (tmp_path / "out").exists()


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    """A part of a set would be used as the complete set."""
    made = zipped(tmp_path / "a.zip", {"a": bytes(range(256)) * 40})
    data = made.read_bytes()
    flipped = data[:60] + bytes([data[60] ^ 4]) + data[61:]
    for damaged in (data[: len(data) // 2], flipped):
        made.write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.zip: .*fetch it again"):
            unpack(made, tmp_path / "out", place=everything, max_bytes=10**6)
