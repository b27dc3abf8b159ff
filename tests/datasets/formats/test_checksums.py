"""Checksums of prepared folders."""

import shutil
import subprocess
from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.datasets.formats.checksums import NAME, verify_checksums, write_checksums
from openstl_ext.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    size = ["--num_samples", "4", "--num_frames", "3", "--image_size", "8"]
    cli.call(["data", "boiling", "--data_path", str(tmp_path), *size])
    cli.call(["data", "split", "--data_path", str(tmp_path)])
    return tmp_path


def test_a_flipped_bit_is_found_by_verify(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Most damage leaves a file readable, and would change scores silently."""
    verify = ["data", "verify", "--data_path", str(root)]
    cli.call(verify)
    listed = len((root / NAME).read_text().splitlines())
    assert f"{listed} files are unchanged" in capsys.readouterr().out
    path = sorted(root.glob("*/1.npy"))[2]
    data = bytearray(path.read_bytes())
    data[-5] ^= 4
    path.write_bytes(data)
    name = path.relative_to(root).as_posix()
    with pytest.raises(DataError, match=rf"of {listed} files in SHA256SUMS, 1 changed \({name}\)"):
        cli.call(verify)
    path.unlink()
    (root / "packed.npy").write_bytes(b"")
    with pytest.raises(DataError, match=rf"1 changed \(packed.npy\) and 1 missing \({name}\)"):
        cli.call(verify)
    cli.call([*verify, "--write"])
    assert "1 files changed since SHA256SUMS was written last" in capsys.readouterr().out
    cli.call(verify)


def test_new_files_are_named_and_leftovers_are_not(root: Path) -> None:
    """A file that was added by mistake would not be seen."""
    (root / ".DS_Store").touch()
    (root / "cache").mkdir()
    (root / "cache/a.npy").touch()
    assert len(verify_checksums(root)) == 1
    (root / "note.txt").touch()
    assert verify_checksums(root)[1] == "1 files are not in SHA256SUMS: note.txt"


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no coreutils")
def test_coreutils_compare_the_same_file(root: Path) -> None:
    """A set could be checked with this package only."""
    (root / "a b [c] \u00e9").touch()
    write_checksums(root)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", NAME], cwd=root, check=True)


def test_a_missing_or_damaged_list_is_named(root: Path) -> None:
    """A traceback would hide that nothing was compared."""
    (root / NAME).write_text("nothing\n")
    with pytest.raises(DataError, match="'nothing' is no line of sha256sum"):
        verify_checksums(root)
    (root / NAME).unlink()
    with pytest.raises(DataError, match=r"SHA256SUMS does not exist; write it with --write"):
        verify_checksums(root)
    with pytest.raises(DataError, match="no such folder"):
        write_checksums(root / "nowhere")
