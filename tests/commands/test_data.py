"""The command data: simulated frames, and frames of the user."""

import contextlib
import io
from pathlib import Path

import pytest

from openstl_ext import cli
from openstl_ext.datasets.boiling.dataset import Boiling
from openstl_ext.datasets.frame_folders import FrameFolders
from openstl_ext.errors import UserError


def call(name: str, *arguments: object) -> str:
    """Run ``openstl-ext data NAME`` in this process and return what it prints.

    Raises:
        SystemExit: With the text of the error stream, if it fails.
    """
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            cli.main(["data", name, *map(str, arguments)])
        except SystemExit as end:
            raise SystemExit(errors.getvalue() or end.code) from None
    return out.getvalue()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data in a folder with a space in its name, made by simvp_minimal's own arguments."""
    path = tmp_path_factory.mktemp("some data")
    size = ("--num_samples", 8, "--num_frames", 5, "--increment", 10, "--image_size", 8)
    made = call("boiling", *size, "--data_path", path)
    assert "wrote 8 samples" in made
    ratios = ("--train_ratio", 0.5, "--val_ratio", 0.25, "--total_length", 4)
    split = call("split", "--data_path", path, *ratios)
    assert "train: 4 samples" in split
    return path


def test_two_commands_give_a_dataset(root: Path) -> None:
    """The data of the user's first recipe could not be made."""
    dataset = Boiling(root=str(root), split="val", num_inputs=2, num_targets=2)
    assert len(dataset) == 2
    assert dataset.frames.is_packed
    assert (root / dataset.sample_id(0) / "4.npy").is_file()


SIZE = ("--num_samples", 9, "--num_frames", 5, "--image_size", 8)


@pytest.mark.parametrize(
    ("name", "arguments", "place", "message"),
    [
        ("boiling", SIZE, "", "num_samples is 8, not 9"),
        ("boiling", SIZE, "boiling.json/under", "is a file, not a folder"),
        ("split", (), "nowhere", "data boiling"),
        ("pack", (), "nowhere", "nowhere"),
    ],
)
def test_a_mistake_is_one_sentence_and_a_status(
    name: str, arguments: tuple[object, ...], place: str, message: str, root: Path
) -> None:
    """A typo would print a traceback, or a script would continue after a failure."""
    with pytest.raises(SystemExit, match=f"^error: .*{message}"):
        call(name, *arguments, "--data_path", root / place)


def test_any_folder_can_be_packed(root: Path) -> None:
    """Frames of the user would always be read from single files, which is slow."""
    (root / "packed.json").unlink()
    (root / "packed.npy").unlink()
    packed = call("pack", "--data_path", root)
    assert "8 samples into one array of shape (8, 5, 1, 8, 8)" in packed


def test_one_form_alone_can_be_requested(tmp_path: Path) -> None:
    """A set that fits the disk in one form could not be written."""
    size = ("--num_samples", 2, "--num_frames", 3, "--image_size", 4, "--seed", 5)
    call("boiling", *size, "--data_path", tmp_path / "a", "--packed-only")
    call("boiling", *size, "--data_path", tmp_path / "b", "--no-packed")
    assert {p.name for p in (tmp_path / "a").iterdir()} == {
        *("boiling.json", "packed.npy", "packed.json", "SHA256SUMS")
    }
    assert len(list((tmp_path / "b").glob("*_boiling_*/*.npy"))) == 6
    assert not list((tmp_path / "b").glob("packed*"))


def test_quiet_leaves_the_result(tmp_path: Path) -> None:
    """The mail of a nightly job would have a line per step."""
    size = ("--num_samples", 3, "--num_frames", 2, "--image_size", 8, "--data_path", tmp_path)
    lines = call("boiling", *size, "--quiet").splitlines()
    assert lines[-1] == f"boiling data are in {tmp_path}"
    assert call("verify", "--data_path", tmp_path, "--quiet") == "9 files are unchanged\n"


def test_loader_files_are_named_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user would open JSON files to find out which is which."""
    FrameFolders.make_toy(tmp_path)
    folder = ["--data_path", str(tmp_path)]
    cli.call(["data", "split", *folder, "--name", "short", "--total_length", "6"])
    assert f"--data {tmp_path / 'short'}" in capsys.readouterr().out
    cli.call(["data", "split", *folder, "--list"])
    default, short = capsys.readouterr().out.splitlines()
    assert default.startswith("* default (")
    assert default.endswith("train 4, val 2, test 2 samples of 20 frames)")
    assert short.startswith("  short (")
    assert short.endswith("train 6, val 1, test 1 samples of 6 frames)")
    for wrong in (["--name", "short"], ["--name", "../x"], ["--name", "y", "--default"]):
        with pytest.raises(UserError, match="name"):
            cli.call(["data", "split", *folder, *wrong])
