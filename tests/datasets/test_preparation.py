"""Preparation of the published datasets."""

import hashlib
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from openstl_ext.datasets import taxibj
from openstl_ext.datasets.download.checksum import Checksum
from openstl_ext.datasets.kth import prepare as kth
from openstl_ext.datasets.kth.dataset import KTH
from openstl_ext.datasets.moving_mnist import prepare as moving_mnist
from openstl_ext.datasets.moving_mnist.dataset import MovingMNIST
from openstl_ext.datasets.synthetic import kth as small_kth
from openstl_ext.datasets.taxibj import TaxiBJ
from openstl_ext.errors import DataError
from tests.datasets.download.server import Site, serving


def sha1(data: bytes) -> Checksum:
    return Checksum("sha1", hashlib.sha1(data, usedforsecurity=False).hexdigest())


def zip_folder(folder: Path, path: Path, prefix: str = "") -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path.read_bytes()


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Six zips as published, with the videos of one action each, and the list of frames."""
    root = tmp_path_factory.mktemp("videos")
    small_kth.write(root, num_frames=12, persons=(1, 15, 17))
    files = {
        f"{action}.zip": zip_folder(root / action, root / f"{action}.zip") for action in kth.ACTIONS
    }
    return {**files, kth.SEQUENCES: (root / kth.SEQUENCES).read_bytes()}


@pytest.fixture
def small_sums(videos: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the checksums of the small zips."""
    for action in kth.ACTIONS:
        file = replace(kth.ZIPS[action], checksum=sha1(videos[f"{action}.zip"]))
        monkeypatch.setitem(kth.ZIPS, action, file)


@pytest.mark.usefixtures("small_sums")
def test_six_zips_are_unpacked_and_kept(
    videos: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The published set could not be used, or the downloads would be deleted."""
    source, root = tmp_path / "downloads", tmp_path / "kth"
    source.mkdir()
    for name, data in videos.items():
        (source / name).write_bytes(data)
    kth.fetch(root, source, "avi")
    assert "18 of 599 recordings, as avi" in capsys.readouterr().out
    dataset = KTH(root=str(root), split="val", num_inputs=4, num_targets=6)
    assert len(dataset) == 6
    assert not dataset.metainfo.synthetic
    assert {path.name for path in source.iterdir()} == set(videos)
    assert not list(root.glob("*.zip"))
    shutil.rmtree(source)
    kth.fetch(root, source, "avi")  # the archives are not needed again
    with pytest.raises(DataError, match="has the avi form"):
        kth.fetch(root, None, "jpeg")


@pytest.mark.usefixtures("small_sums")
def test_videos_are_fetched_and_a_killed_run_is_resumed(
    videos: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gigabyte would be fetched and unpacked again after each interruption."""
    with serving(Site(files={f"/{name}": data for name, data in videos.items()})) as site:
        for action, file in list(kth.ZIPS.items()):
            moved = replace(file, mirrors=(f"{site.url}/{file.name}",))
            monkeypatch.setitem(kth.ZIPS, action, moved)
        monkeypatch.setattr(
            kth, "LIST", replace(kth.LIST, mirrors=(f"{site.url}/{kth.SEQUENCES}",))
        )
        good = site.files.pop("/jogging.zip")
        with pytest.raises(DataError, match=r"jogging\.zip could not be fetched"):
            kth.fetch(tmp_path, None, "avi")
        requests = len(site.ranges_requested)
        site.files["/jogging.zip"] = good
        (tmp_path / "running").mkdir()  # left by a killed run
        kth.fetch(tmp_path, None, "avi")
        assert len(site.ranges_requested) == requests + 3
    assert len(KTH(root=str(tmp_path), split="test", num_inputs=4, num_targets=6)) == 6
    assert not list(tmp_path.rglob("*.part"))


def test_the_zip_of_frames_is_unpacked_at_any_depth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form that published tables use could not be read."""
    source, root = tmp_path / "downloads", tmp_path / "kth"
    source.mkdir()
    small_kth.write(tmp_path / "made", num_frames=10, persons=(1, 15, 17), form="jpeg")
    zip_folder(tmp_path / "made", source / kth.JPEGS.name, prefix="kth_action/")
    kth.fetch(root, source, "jpeg")
    assert len(KTH(root=str(root), split="train", num_inputs=4, num_targets=6)) == 6
    assert not (root / "SYNTHETIC.txt").exists()
    with zipfile.ZipFile(source / kth.JPEGS.name, "w") as archive:
        archive.writestr("boxing/person01_boxing_d1/image_0001.jpg", b"")
    with pytest.raises(DataError, match="has no recording of handclapping"):
        kth.fetch(tmp_path / "other", source, "jpeg")


@pytest.mark.parametrize("packed", [True, False])
def test_taxibj_is_taken_from_its_zip_or_as_an_array_file(tmp_path: Path, packed: bool) -> None:
    """One of the two published forms of the file could not be used."""
    source, root = tmp_path / "downloads", tmp_path / "taxibj"
    (source / "deep").mkdir(parents=True)
    TaxiBJ.make_toy(tmp_path)
    if packed:
        with zipfile.ZipFile(source / taxibj.ARCHIVE.name, "w") as archive:
            archive.write(tmp_path / taxibj.FILE, f"taxibj/{taxibj.FILE}")
    else:
        shutil.copy(tmp_path / taxibj.FILE, source / "deep")
    for _ in range(2):
        taxibj.fetch(root, source, None)
        assert {path.name for path in root.iterdir()} == {taxibj.FILE}
    assert len(TaxiBJ(root=str(root), split="test")) == 6


def test_a_zip_without_the_arrays_is_rejected(tmp_path: Path) -> None:
    """The error would name a file that does not exist."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other/readme.txt").write_text("no arrays")
    zip_folder(tmp_path / "other", tmp_path / taxibj.ARCHIVE.name)
    with pytest.raises(DataError, match=r"taxibj_dataset\.zip: has no dataset\.npz"):
        taxibj.fetch(tmp_path / "taxibj", tmp_path, None)


def test_moving_mnist_is_verified_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged download would be used."""
    source, root = tmp_path / "downloads", tmp_path / "moving_mnist"
    MovingMNIST.make_toy(source)
    with pytest.raises(DataError, match=r"SHA256 is .*, expected the published 440fcabf"):
        moving_mnist.fetch(root, source, None)
    files = [
        replace(file, checksum=sha1((source / file.name).read_bytes()))
        for file in moving_mnist.FILES
    ]
    monkeypatch.setattr(moving_mnist, "FILES", files)
    moving_mnist.fetch(root, source, None)
    assert "test: 8 sequences" in capsys.readouterr().out
    assert not MovingMNIST(root=str(root), split="train").metainfo.synthetic


def test_the_published_addresses_and_checksums_are_well_formed() -> None:
    """A typo in a checksum would reject the right file."""
    lengths = {"md5": 32, "sha1": 40, "sha256": 64}
    files = [*moving_mnist.FILES, *kth.ZIPS.values(), kth.LIST, kth.JPEGS, taxibj.ARCHIVE]
    for file in files:
        assert all(url.startswith("http") and url.endswith(file.name) for url in file.mirrors)
        assert file.mirrors
        if isinstance(file.checksum, Checksum):
            assert len(bytes.fromhex(file.checksum.digest)) * 2 == lengths[file.checksum.algorithm]
