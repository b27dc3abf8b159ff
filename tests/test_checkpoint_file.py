"""Checkpoint files are read in memory bounded by their size, and their damage is found."""

import io
import pickle
import zipfile
from argparse import Namespace
from pathlib import Path

import pytest
import torch

from openstl_ext import checkpoint_file
from openstl_ext.checkpoint_file import read_file
from openstl_ext.errors import CheckpointError


def saved(path: Path, *, legacy: bool = False) -> Path:
    content = {"state_dict": {"w": torch.arange(5000.0)}, "args": Namespace(lr=1)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


@pytest.mark.parametrize("legacy", [False, True])
def test_both_forms_of_files_are_read(legacy: bool, tmp_path: Path) -> None:
    """Files of earlier releases of torch could not be read."""
    path = saved(tmp_path / "x.pth", legacy=legacy)
    assert torch.equal(read_file(path)["state_dict"]["w"], torch.arange(5000.0))


def test_a_compressed_archive_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """A file of one megabyte would fill the memory."""
    path = saved(tmp_path / "x.pth")
    packed = tmp_path / "packed.pth"
    with (
        zipfile.ZipFile(path) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            zeros = bytes(1 << 24) if name.endswith("data/0") else source.read(name)
            target.writestr(name, zeros)
    assert packed.stat().st_size < 1 << 17
    with pytest.raises(CheckpointError, match=r"packed.pth has .* bytes and unpacks to 16,"):
        read_file(packed)


def test_a_large_description_of_tensors_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects take a hundred times the memory of their description."""
    monkeypatch.setattr(checkpoint_file, "MAX_PICKLE_BYTES", 1000)
    torch.save({str(i): [] for i in range(1000)}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"describes its tensors in .* the limit is 1,000"):
        read_file(tmp_path / "x.pth")


def test_each_flipped_bit_of_a_tensor_is_found(tmp_path: Path) -> None:
    """A file that no manifest lists would be loaded with wrong weights."""
    path = saved(tmp_path / "x.pth")
    data = path.read_bytes()
    start = data.index(torch.arange(5000.0).numpy().tobytes())
    for place in range(start, start + 20000, 1999):
        flipped = bytearray(data)
        flipped[place] ^= 16
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError, match=r"the checksum of .* differs"):
            read_file(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"PK\x03\x04" + bytes(99), bytes(99), b'_base_ = "runtime"\n'],
)
def test_what_is_no_checkpoint_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    """The user would see a traceback of torch."""
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x.pth cannot be read") as caught:
        read_file(path)
    assert "\n" not in str(caught.value)
    assert "weights_only" not in str(caught.value)
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        read_file(tmp_path / "none.pth")
    with pytest.raises(CheckpointError, match="is a folder; name a file of weights, such as"):
        read_file(tmp_path)


def test_a_class_that_could_run_code_is_refused(tmp_path: Path) -> None:
    """A downloaded file could run code of its author."""
    buffer = io.BytesIO()
    pickle.dump(print, buffer)
    (tmp_path / "x.pth").write_bytes(buffer.getvalue())
    with pytest.raises(CheckpointError, match=r"x.pth cannot be read"):
        read_file(tmp_path / "x.pth")
