"""What systems leave among data is passed over, and nothing else is."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from openstl_ext.datasets.formats import loaders_file
from openstl_ext.datasets.formats.folder_split import SplitSettings, create_loaders
from openstl_ext.datasets.formats.frame_file import list_frames, sample_folders
from openstl_ext.datasets.formats.packed import pack_folders
from openstl_ext.datasets.frame_folders import FrameFolders
from openstl_ext.datasets.human_modification.files import find as find_rasters
from openstl_ext.datasets.lts.geotiff import rasters_in
from openstl_ext.errors import DataError
from openstl_ext.leftovers import entries, is_leftover
from openstl_ext.prediction.sequences import open_sequences
from openstl_ext.registry import DATASETS
from tests.datasets.test_contract import NAMES, UNITS
from tests.small_recipe import SIZES, toy_set

FOLDERS = (
    *("__MACOSX", ".ipynb_checkpoints", "@eaDir", "lost+found", ".snapshot", ".git", "#recycle"),
    *("$RECYCLE.BIN", "System Volume Information", ".Trash-1000", ".Spotlight-V100"),
)
FILES = (
    *(".DS_Store", "._0.npy", "Thumbs.db", "desktop.ini", ".nfs000000001a", ".~lock.a.npy#"),
    *(".gitignore", "~$a.npy", "0.npy~", "._x_loaders.json", ".0.npy.part", "._landsat_1990.tif"),
)


def write(root: Path, names: tuple[str, ...] = ("a", "b", "c", "d")) -> Path:
    for name in names:
        (root / name).mkdir(parents=True)
        for t in range(4):
            np.save(root / name / f"{t}.npy", np.full((3, 4), 0.5, np.float32))
    return root


def test_leftovers_are_passed_over_by_every_reader_of_frames(tmp_path: Path) -> None:
    """A folder that macOS unpacked could not be split, packed or predicted from."""
    root = write(tmp_path)
    for folder in (root, root / "a"):
        for name in FOLDERS:
            (folder / name).mkdir()
            (folder / name / "._0.npy").write_bytes(b"attributes")
        for name in FILES:
            (folder / name).write_bytes(b"attributes")
    assert [path.name for path in sample_folders(root)] == ["a", "b", "c", "d"]
    assert [path.name for path in list_frames(root / "a")] == [f"{t}.npy" for t in range(4)]
    assert open_sequences(root).names == ["a", "b", "c", "d"]
    create_loaders(root, SplitSettings(train_ratio=0.5, val_ratio=0.25))
    pack_folders(root)
    assert loaders_file.find(root).name == "default_loaders.json"
    dataset = FrameFolders(root=str(root), split="train", num_inputs=2, num_targets=2)
    assert len(dataset) == 2
    assert dataset.is_packed


def test_leftovers_are_passed_over_by_readers_of_rasters(tmp_path: Path) -> None:
    """Two files for one year would be found in a folder that macOS unpacked."""
    for name in ("HM_1990_1000.tif", "__MACOSX/HM_1990_1000.tif", "._HM_1990_1000.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [paths for paths in find_rasters(tmp_path).values() if len(paths) > 1] == []
    assert [path.name for path in rasters_in(tmp_path)] == ["HM_1990_1000.tif"]


@pytest.mark.parametrize("name", NAMES)
def test_leftovers_are_passed_over_by_every_reader_of_a_set(name: str, tmp_path: Path) -> None:
    """A set on a disk that macOS has written to could not be read, or had samples twice."""
    root = shutil.copytree(toy_set(name), tmp_path / "set")
    expected = contents(name, toy_set(name))
    for path in list(root.rglob("*")):
        if path.is_file():
            path.with_name(f"._{path.name}").write_bytes(b"attributes")
            (path.parent / "@eaDir" / path.name).mkdir(parents=True)
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        (folder / ".DS_Store").write_bytes(b"attributes")
    assert contents(name, root) == expected


def contents(name: str, root: Path) -> list[tuple[str, float]]:
    """Return name and sum of the values of each evaluation sample."""
    arguments = {**SIZES.get(name, {}), **UNITS.get(name, {})}
    found = []
    for split in ("val", "test"):
        dataset = DATASETS.get(name)(root=str(root), split=split, **arguments)
        for index in range(len(dataset)):
            values = dataset[index]["inputs"]["frames"]
            found.append((dataset.sample_id(index), float(values.double().nansum())))
    return found


@pytest.mark.parametrize("name", [*FOLDERS, *FILES])
def test_the_case_of_a_name_does_not_matter(name: str) -> None:
    """The same folder from another system would stop everything."""
    assert is_leftover(name)
    assert is_leftover(name.swapcase())


KEPT = (
    *("lecture.part", "a b", " a", "a ", "x,y", "[a]", "a*?", "-a", "c:d", "~a", "#1", "a.npy"),
    *(
        "\u00e9",
        "e\u0301",
        "A",
        "a" * 200,
        "macosx",
        "git",
        "core.snapshot",
        "it's",
        '"q"',
        "%s{0}",
    ),
)


def test_every_other_name_is_kept_through_split_pack_and_reading(tmp_path: Path) -> None:
    """A sample would be left out silently, or read under the name of another."""
    root = write(tmp_path, KEPT)
    assert {path.name for path in sample_folders(root)} == set(KEPT)
    for packed in (False, True):
        if packed:
            pack_folders(root)
        create_loaders(root, SplitSettings(train_ratio=0.5, val_ratio=0.25))
        seen = []
        for split in ("train", "val", "test"):
            dataset = FrameFolders(root=str(root), split=split, num_inputs=2, num_targets=2)
            assert dataset.is_packed is packed
            seen += [dataset.sample_id(index) for index in range(len(dataset))]
            dataset[0]
        assert sorted(seen) == sorted(KEPT)


@pytest.mark.parametrize("name", ["a\nb", "a\\b", "a\x07", "a" * 201, "\u00e9" * 101, "a\u2028b"])
def test_names_that_cannot_be_kept_are_refused(tmp_path: Path, name: str) -> None:
    """A sample would be left out, or its files could not be written."""
    write(tmp_path, ("a", name))
    with pytest.raises(DataError, match="the name of a sample is one line"):
        sample_folders(tmp_path)


def test_names_that_are_no_unicode_are_refused(tmp_path: Path) -> None:
    """The loader file could not be written or read."""
    write(tmp_path)
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")
    with pytest.raises(DataError, match="the name of a sample is one line of Unicode"):
        sample_folders(tmp_path)


def test_hidden_samples_and_broken_links_are_refused_by_name(tmp_path: Path) -> None:
    """Samples would be left out silently."""
    root = write(tmp_path, ("a", ".b"))
    with pytest.raises(DataError, match=r"\.b: has frames, but its name begins with a dot"):
        sample_folders(root)
    (root / ".b").rename(root / "b")
    (root / ".tool").mkdir()
    assert len(sample_folders(root)) == 2
    (root / "c").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match="c: a link to nothing"):
        sample_folders(root)
    (root / "c").unlink()
    (root / "a/3.npy").rename(root / "a/3.NPY")
    assert len(list_frames(root / "a")) == 4
    assert len(entries(root / "a")) == 4
