"""The commands that prepare data, as a user types them."""

import contextlib
import io
import runpy
import sys
from pathlib import Path
from unittest import mock

import pytest

from openstl_ext.datasets.boiling.dataset import Boiling

TOOLS = Path(__file__).parents[2] / "tools/prepare_data"


def call(tool: str, *arguments: object) -> str:
    """Run a script as a process of its own would, without paying for its start; what it prints.

    Raises:
        SystemExit: With what it said on the other stream, if it fails.
    """
    out, errors = io.StringIO(), io.StringIO()
    streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors)
    with mock.patch.object(sys, "argv", [tool, *map(str, arguments)]), streams[0], streams[1]:
        try:
            runpy.run_path(str(TOOLS / tool), run_name="__main__")
        except SystemExit as end:
            raise SystemExit(errors.getvalue() or end.code) from None
    return out.getvalue()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data in a folder with a space in its name, made by simvp_minimal's own arguments."""
    path = tmp_path_factory.mktemp("some data")
    size = ("--num_samples", 8, "--num_frames", 5, "--increment", 10, "--image_size", 8)
    made = call("generate_boiling_data.py", *size, "--data_path", path)
    assert "wrote 8 samples" in made
    ratios = ("--train_ratio", 0.5, "--val_ratio", 0.25, "--total_length", 4)
    split = call("create_dataloader.py", "--data_path", path, *ratios)
    assert "train: 4 samples" in split
    return path


def test_two_commands_give_a_dataset(root: Path) -> None:
    """If this fails, the README's first two commands do not work."""
    dataset = Boiling(root=str(root), split="val", num_inputs=2, num_targets=2)
    assert len(dataset) == 2
    assert dataset.frames.is_packed
    assert (root / dataset.sample_id(0) / "4.npy").is_file()


SIZE = ("--num_samples", 9, "--num_frames", 5, "--image_size", 8)


@pytest.mark.parametrize(
    ("tool", "arguments", "place", "message"),
    [
        ("generate_boiling_data.py", SIZE, "", "num_samples is 8, not 9"),
        ("generate_boiling_data.py", SIZE, "boiling.json/under", "Not a directory"),
        ("create_dataloader.py", (), "nowhere", "generate_boiling_data.py"),
        ("pack_frames.py", (), "nowhere", "nowhere"),
    ],
)
def test_a_mistake_is_one_sentence_and_a_status(
    tool: str, arguments: tuple[object, ...], place: str, message: str, root: Path
) -> None:
    """If this fails, a typo prints a traceback, or a script goes on after a failure."""
    with pytest.raises(SystemExit, match=f"^error: .*{message}"):
        call(tool, *arguments, "--data_path", root / place)


def test_any_folder_can_be_packed(root: Path) -> None:
    """If this fails, one's own data are read a file at a time for ever."""
    (root / "packed.json").unlink()
    (root / "packed.npy").unlink()
    packed = call("pack_frames.py", "--data_path", root)
    assert "8 samples into one array of shape (8, 5, 1, 8, 8)" in packed


def test_one_form_alone_can_be_asked_for(tmp_path: Path) -> None:
    """If this fails, a set that fits the disk once does not fit it at all."""
    size = ("--num_samples", 2, "--num_frames", 3, "--image_size", 4, "--seed", 5)
    call("generate_boiling_data.py", *size, "--data_path", tmp_path / "a", "--packed-only")
    call("generate_boiling_data.py", *size, "--data_path", tmp_path / "b", "--no-packed")
    assert {p.name for p in (tmp_path / "a").iterdir()} == {
        *("boiling.json", "packed.npy", "packed.json")
    }
    assert len(list((tmp_path / "b").glob("*_boiling_*/*.npy"))) == 6
    assert not list((tmp_path / "b").glob("packed*"))
