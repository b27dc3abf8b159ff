"""KTH: recordings decoded once, and the windows of them."""

import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from openstl_ext.datasets.formats.video import read_avi
from openstl_ext.datasets.kth.dataset import KTH
from openstl_ext.datasets.synthetic.kth import write
from openstl_ext.errors import ConfigError, DataError, DatasetNotFoundError

SHORT = {"num_inputs": 4, "num_targets": 6, "image_size": 32}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("kth")
    write(root, num_frames=24, persons=(1, 2, 15, 17))
    return root


@pytest.fixture
def root(recordings: Path, tmp_path: Path) -> Path:
    """The same recordings, to be changed at will."""
    for path in recordings.rglob("*"):
        if path.is_file() and path.suffix != ".npy":
            there = tmp_path / path.relative_to(recordings)
            there.parent.mkdir(exist_ok=True)
            there.write_bytes(path.read_bytes())
    return tmp_path


def frames_of(dataset: KTH, index: int) -> torch.Tensor:
    item = dataset[index]
    return torch.cat([item["inputs"]["frames"], item["data_samples"]["frames"]])


def test_nobody_is_in_two_splits(recordings: Path) -> None:
    """If this fails, a net is tested on people whom it knows."""
    people = {}
    for split in ("train", "val", "test"):
        dataset = KTH(root=str(recordings), split=split, **SHORT)
        people[split] = {dataset.sample_id(i)[:8] for i in range(len(dataset))}
    assert people == {"train": {"person01", "person02"}, "val": {"person15"}, "test": {"person17"}}
    all_of_them = KTH(root=str(recordings), split="train", val_persons=(), **SHORT)
    assert {all_of_them.sample_id(i)[:8] for i in range(len(all_of_them))} == {
        *("person01", "person02", "person15")
    }


def test_a_sample_is_what_upstream_computes(recordings: Path) -> None:
    """If this fails, pixels differ from those that published scores were computed on."""
    dataset = KTH(root=str(recordings), split="test", num_inputs=4, num_targets=6)
    index = [dataset.sample_id(i) for i in range(len(dataset))].index("person17_running_d1_0003")
    video = read_avi(recordings / "running" / "person17_running_d1_uncomp.avi")
    resized = [cv2.resize(np.float32(frame), (128, 128)) / 255 for frame in video[2:12]]
    expected = torch.tensor(np.array(resized)[:, None]).float()
    assert torch.equal(frames_of(dataset, index), expected)
    assert dataset[index]["inputs"]["frames"].shape == (4, 1, 128, 128)
    assert 0 < float(expected.min()) < float(expected.max()) < 1


def test_windows_and_their_order_are_fixed(recordings: Path) -> None:
    """If this fails, another file system gives another order, or other samples."""
    dataset = KTH(root=str(recordings), split="train", **SHORT)
    ids = [dataset.sample_id(i) for i in range(len(dataset))]
    assert ids[:4] == [
        *("person01_boxing_d1_0005", "person01_boxing_d1_0015"),
        *("person02_boxing_d1_0005", "person02_boxing_d1_0015"),
    ]
    running = [name for name in ids if name.startswith("person01_running")]
    assert [int(name[-4:]) for name in running] == [3, 6, 9, 12, 15]
    assert len(ids) == len(set(ids)) == 2 * (4 * 2 + 2 * 5)


def test_frames_and_films_of_the_same_people_give_the_same_samples(tmp_path: Path) -> None:
    """If this fails, the two forms of the set are two datasets."""
    films, frames = tmp_path / "avi", tmp_path / "jpeg"
    write(films, num_frames=12, persons=(17,))
    write(frames, num_frames=12, persons=(17,), form="jpeg")
    one, other = (KTH(root=str(root), split="test", **SHORT) for root in (films, frames))
    assert len(one) == len(other) == 6
    assert [one.sample_id(i) for i in range(6)] == [other.sample_id(i) for i in range(6)]
    for index in range(6):
        difference = (frames_of(one, index) - frames_of(other, index)).abs()
        assert float(difference.mean()) < 0.02  # two lossy codecs


def test_no_window_reaches_over_a_gap(tmp_path: Path) -> None:
    """If this fails, somebody vanishes and reappears within a sample."""
    write(tmp_path, num_frames=26, persons=(17,), form="jpeg")
    for path in tmp_path.glob("*/*/image_0012.jpg"):
        path.unlink()
    dataset = KTH(root=str(tmp_path), split="test", **SHORT)
    starts = {dataset.sample_id(i) for i in range(len(dataset)) if "boxing" in dataset.sample_id(i)}
    assert starts == {"person17_boxing_d1_0002", "person17_boxing_d1_0017"}
    index = [dataset.sample_id(i) for i in range(len(dataset))].index("person17_boxing_d1_0017")
    stored = cv2.imread(str(tmp_path / "boxing" / "person17_boxing_d1" / "image_0017.jpg"))
    expected = cv2.resize(np.float32(stored[:, :, 2]), (32, 32)) / 255
    np.testing.assert_allclose(frames_of(dataset, index)[0, 0], expected, atol=1e-6)


def test_frames_without_anybody_are_left_out_of_films(root: Path) -> None:
    """If this fails, a score is an average over empty rooms."""
    listed = root / "00sequences.txt"
    text = listed.read_text().replace(
        "person17_boxing_d1\t\tframes\t1-12, 13-24", "person17_boxing_d1\t\tframes\t2-13, 20-24"
    )
    listed.write_text("* a head that is no entry\n" + text + "person13_handclapping_d3 *missing*\n")
    dataset = KTH(root=str(root), split="test", **SHORT)
    ids = [dataset.sample_id(i) for i in range(len(dataset))]
    assert [name for name in ids if "boxing" in name] == ["person17_boxing_d1_0004"]
    untrimmed = KTH(root=str(root), split="test", trimmed=False, **SHORT)
    assert torch.equal(frames_of(untrimmed, 1), frames_of(untrimmed, 1))
    assert [untrimmed.sample_id(i) for i in range(2)] == [
        *("person17_boxing_d1_0005", "person17_boxing_d1_0015")
    ]
    listed.unlink()
    with pytest.raises(DatasetNotFoundError, match=r"00sequences\.txt.*trimmed=False"):
        KTH(root=str(root), split="test", **SHORT)


def test_a_recording_is_decoded_once_and_again_when_it_changes(root: Path) -> None:
    """If this fails, every start of a run decodes for minutes, or reads what is no longer so."""
    KTH(root=str(root), split="test", **SHORT)
    cached = {path: path.stat().st_mtime_ns for path in (root / "cache").iterdir()}
    assert len(cached) == 6
    KTH(root=str(root), split="test", **SHORT)
    assert {path: path.stat().st_mtime_ns for path in (root / "cache").iterdir()} == cached
    film = root / "boxing" / "person17_boxing_d1_uncomp.avi"
    os.utime(film, ns=(1, 1))
    KTH(root=str(root), split="test", **SHORT)
    now = set((root / "cache").iterdir())
    assert len(now) == 6
    assert len(now - set(cached)) == 1


def test_the_cache_can_lie_elsewhere(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """If this fails, a set on a read-only disk cannot be used."""
    elsewhere = tmp_path_factory.mktemp("fast disk") / "kth"
    dataset = KTH(root=str(root), split="test", cache_dir=str(elsewhere), **SHORT)
    assert not (root / "cache").exists()
    assert len(list(elsewhere.glob("*.npy"))) == 6
    copy = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(frames_of(copy, 3), frames_of(dataset, 3))
    blocked = root / "00sequences.txt"  # a file where a folder should be
    with pytest.raises(DataError, match="cache_dir="):
        KTH(root=str(root), split="val", cache_dir=str(blocked), **SHORT)


def test_no_frame_is_held_in_memory(recordings: Path) -> None:
    """If this fails, memory grows with the set, and once more with each worker."""
    dataset = KTH(root=str(recordings), split="train", val_persons=(), **SHORT)
    for index in range(len(dataset)):
        dataset[index]
    assert all(isinstance(_origin(frames), np.memmap) for frames in dataset._opened.values())
    assert len(pickle.dumps(dataset)) < 20_000


def _origin(array: np.ndarray) -> object:
    """What the memory of a view belongs to."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def test_a_damaged_film_is_named(root: Path) -> None:
    """If this fails, a film that broke off is a shorter film."""
    film = root / "walking" / "person17_walking_d1_uncomp.avi"
    whole = film.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-1], b"", b"<html>404</html>"):
        film.write_bytes(damaged)
        with pytest.raises(DataError, match=r"person17_walking_d1_uncomp\.avi: .*unpack it again"):
            KTH(root=str(root), split="test", **SHORT)
    film.write_bytes(whole[:200] + bytes(len(whole) - 200))
    with pytest.raises(DataError, match=r"person17_walking_d1_uncomp\.avi: .*can be decoded"):
        KTH(root=str(root), split="test", **SHORT)
    assert not list((root / "cache").glob("*walking*"))


def test_the_one_film_that_was_published_damaged_is_taken_as_far_as_it_goes(root: Path) -> None:
    """If this fails, the set as published cannot be used."""
    one, damaged = (root / "boxing" / f"person01_boxing_d{n}_uncomp.avi" for n in (1, 4))
    damaged.write_bytes(one.read_bytes()[:-700])
    with (root / "00sequences.txt").open("a") as file:
        file.write("person01_boxing_d4\t\tframes\t1-12, 13-24\r\n")
    dataset = KTH(root=str(root), split="train", **SHORT)
    assert any("boxing_d4" in dataset.sample_id(i) for i in range(len(dataset)))


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    """If this fails, half of a frame is grey and nobody knows."""
    write(tmp_path, num_frames=10, persons=(17,), form="jpeg")
    picture = tmp_path / "jogging" / "person17_jogging_d1" / "image_0004.jpg"
    whole = picture.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"\xff\xd8\xff\xd9"):
        picture.write_bytes(damaged)
        with pytest.raises(DataError, match=r"image_0004\.jpg: cut off or no JPEG"):
            KTH(root=str(tmp_path), split="test", **SHORT)


def test_an_incomplete_or_doubled_set_is_refused(root: Path) -> None:
    """If this fails, a score is an average over five actions, or over one twice."""
    films = root / "running"
    (films / "person17_running_d1.avi").write_bytes(
        (films / "person17_running_d1_uncomp.avi").read_bytes()
    )
    with pytest.raises(DataError, match="the same recording as"):
        KTH(root=str(root), split="test", **SHORT)
    for path in films.iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"running: has no avi recording"):
        KTH(root=str(root), split="test", **SHORT)


def test_what_is_missing_or_ambiguous_is_said(root: Path) -> None:
    """If this fails, a new user is left with a stack of frames."""
    with pytest.raises(DatasetNotFoundError, match=r"prepare_data/kth\.py --root"):
        KTH(root=str(root / "nowhere"), split="train")
    write(root, num_frames=2, persons=(17,), form="jpeg")
    with pytest.raises(ConfigError, match="choose with `form=`"):
        KTH(root=str(root), split="train")
    with pytest.raises(DataError, match="no recording has 30 frames"):
        KTH(root=str(root), split="test", form="jpeg")
    for wrong in ({"form": "mp4"}, {"val_persons": (17,)}, {"num_inputs": 0}, {"split": "tset"}):
        with pytest.raises(ConfigError):
            KTH(root=str(root), split="train", **wrong)
    with pytest.raises(ConfigError, match="leaves nobody to the val split"):
        KTH(root=str(root), split="val", val_persons=())


def test_the_toy_serves_both_published_horizons(tmp_path: Path) -> None:
    """If this fails, configs of 10 to 40 frames cannot be tried offline."""
    KTH.make_toy(tmp_path)
    for split in ("train", "val", "test"):
        item = KTH(root=str(tmp_path), split=split, num_targets=40)[0]
        assert item["data_samples"]["frames"].shape == (40, 1, 128, 128)
    dataset = KTH(root=str(tmp_path), split="train")
    assert dataset.metainfo.synthetic
    assert dataset[0]["data_samples"]["frames"].shape == (20, 1, 128, 128)
