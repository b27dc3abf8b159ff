"""KTH: decoded recordings and their windows."""

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
    """A copy of the recordings, which a test may change."""
    for path in recordings.rglob("*"):
        if path.is_file() and path.parent.name != "cache":
            there = tmp_path / path.relative_to(recordings)
            there.parent.mkdir(exist_ok=True)
            there.write_bytes(path.read_bytes())
    return tmp_path


def frames_of(dataset: KTH, index: int) -> torch.Tensor:
    item = dataset[index]
    return torch.cat([item["inputs"]["frames"], item["data_samples"]["frames"]])


def test_no_person_is_in_two_splits(recordings: Path) -> None:
    """A net would be tested on persons of its training set."""
    persons = {}
    for split in ("train", "val", "test"):
        dataset = KTH(root=str(recordings), split=split, **SHORT)
        persons[split] = {dataset.sample_id(i)[:8] for i in range(len(dataset))}
    assert persons == {"train": {"person01", "person02"}, "val": {"person15"}, "test": {"person17"}}
    with_val = KTH(root=str(recordings), split="train", val_persons=(), **SHORT)
    assert {with_val.sample_id(i)[:8] for i in range(len(with_val))} == {
        *("person01", "person02", "person15")
    }


def test_a_sample_equals_upstreams(recordings: Path) -> None:
    """Pixels would differ from those of published scores."""
    dataset = KTH(root=str(recordings), split="test", num_inputs=4, num_targets=6)
    index = [dataset.sample_id(i) for i in range(len(dataset))].index("person17_running_d1-000003")
    video = read_avi(recordings / "running" / "person17_running_d1_uncomp.avi")
    resized = [cv2.resize(np.float32(frame), (128, 128)) / 255 for frame in video[2:12]]
    expected = torch.tensor(np.array(resized)[:, None]).float()
    assert torch.equal(frames_of(dataset, index), expected)
    assert dataset[index]["inputs"]["frames"].shape == (4, 1, 128, 128)
    assert 0 < float(expected.min()) < float(expected.max()) < 1


def test_windows_and_their_order_are_fixed(recordings: Path) -> None:
    """Another file system would give another order."""
    dataset = KTH(root=str(recordings), split="train", **SHORT)
    ids = [dataset.sample_id(i) for i in range(len(dataset))]
    assert ids[:4] == [
        *("person01_boxing_d1-000005", "person01_boxing_d1-000015"),
        *("person02_boxing_d1-000005", "person02_boxing_d1-000015"),
    ]
    running = [name for name in ids if name.startswith("person01_running")]
    assert [int(name[-4:]) for name in running] == [3, 6, 9, 12, 15]
    assert len(ids) == len(set(ids)) == 2 * (4 * 2 + 2 * 5)


def test_jpeg_and_avi_give_the_same_samples(tmp_path: Path) -> None:
    """The two forms of the set would be two datasets."""
    videos, frames = tmp_path / "avi", tmp_path / "jpeg"
    write(videos, num_frames=12, persons=(17,))
    write(frames, num_frames=12, persons=(17,), form="jpeg")
    one, other = (KTH(root=str(root), split="test", **SHORT) for root in (videos, frames))
    assert len(one) == len(other) == 6
    assert [one.sample_id(i) for i in range(6)] == [other.sample_id(i) for i in range(6)]
    for index in range(6):
        difference = (frames_of(one, index) - frames_of(other, index)).abs()
        assert float(difference.mean()) < 0.02  # two lossy codecs


def test_no_window_contains_a_gap(tmp_path: Path) -> None:
    """A person would disappear and reappear within a sample."""
    write(tmp_path, num_frames=26, persons=(17,), form="jpeg")
    for path in tmp_path.glob("*/*/image_0012.jpg"):
        path.unlink()
    dataset = KTH(root=str(tmp_path), split="test", **SHORT)
    starts = {dataset.sample_id(i) for i in range(len(dataset)) if "boxing" in dataset.sample_id(i)}
    assert starts == {"person17_boxing_d1-000002", "person17_boxing_d1-000017"}
    index = [dataset.sample_id(i) for i in range(len(dataset))].index("person17_boxing_d1-000017")
    stored = cv2.imread(str(tmp_path / "boxing" / "person17_boxing_d1" / "image_0017.jpg"))
    expected = cv2.resize(np.float32(stored[:, :, 2]), (32, 32)) / 255
    np.testing.assert_allclose(frames_of(dataset, index)[0, 0], expected, atol=1e-6)


def test_avi_frames_without_a_person_are_left_out(root: Path) -> None:
    """Scores would include empty images."""
    listed = root / "00sequences.txt"
    text = listed.read_text().replace(
        "person17_boxing_d1\t\tframes\t1-12, 13-24", "person17_boxing_d1\t\tframes\t2-13, 20-24"
    )
    listed.write_text("* a line without an entry\n" + text + "person13_handclapping_d3 *missing*\n")
    dataset = KTH(root=str(root), split="test", **SHORT)
    ids = [dataset.sample_id(i) for i in range(len(dataset))]
    assert [name for name in ids if "boxing" in name] == ["person17_boxing_d1-000004"]
    untrimmed = KTH(root=str(root), split="test", trimmed=False, **SHORT)
    assert torch.equal(frames_of(untrimmed, 1), frames_of(untrimmed, 1))
    assert [untrimmed.sample_id(i) for i in range(2)] == [
        *("person17_boxing_d1-000005", "person17_boxing_d1-000015")
    ]
    listed.unlink()
    with pytest.raises(DatasetNotFoundError, match=r"00sequences\.txt.*trimmed=False"):
        KTH(root=str(root), split="test", **SHORT)


def test_a_recording_is_decoded_once_until_it_changes(root: Path) -> None:
    """Every start of a run would decode for minutes, or read an old recording."""
    KTH(root=str(root), split="test", **SHORT)
    cached = {path: path.stat().st_mtime_ns for path in (root / "cache").glob("*.npy")}
    assert len(cached) == 6
    KTH(root=str(root), split="test", **SHORT)
    assert {path: path.stat().st_mtime_ns for path in (root / "cache").glob("*.npy")} == cached
    video_file = root / "boxing" / "person17_boxing_d1_uncomp.avi"
    os.utime(video_file, ns=(1, 1))
    KTH(root=str(root), split="test", **SHORT)
    now = set((root / "cache").glob("*.npy"))
    assert len(now) == 6
    assert len(now - set(cached)) == 1


def test_the_cache_can_be_in_another_folder(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A set on a read-only disk could not be used."""
    elsewhere = tmp_path_factory.mktemp("fast disk") / "kth"
    dataset = KTH(root=str(root), split="test", cache_dir=str(elsewhere), **SHORT)
    assert not (root / "cache").exists()
    assert len(list(elsewhere.glob("*.npy"))) == 6
    copy = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(frames_of(copy, 3), frames_of(dataset, 3))
    blocked = root / "00sequences.txt"  # a file where a folder should be
    with pytest.raises(DataError, match="cache_dir="):
        KTH(root=str(root), split="val", cache_dir=str(blocked), **SHORT)


def test_no_frame_is_kept_in_memory(recordings: Path) -> None:
    """Memory would grow with the set and the number of workers."""
    dataset = KTH(root=str(recordings), split="train", val_persons=(), **SHORT)
    for index in range(len(dataset)):
        dataset[index]
    assert all(isinstance(_origin(frames), np.memmap) for frames in dataset._opened.values())
    assert len(pickle.dumps(dataset)) < 20_000


def _origin(array: np.ndarray) -> object:
    """Return the owner of the memory of a view."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def test_a_damaged_video_is_named(root: Path) -> None:
    """A truncated video would be used as a shorter one."""
    video_file = root / "walking" / "person17_walking_d1_uncomp.avi"
    data = video_file.read_bytes()
    for damaged in (data[: len(data) // 2], data[:-1], b"", b"<html>404</html>"):
        video_file.write_bytes(damaged)
        with pytest.raises(DataError, match=r"person17_walking_d1_uncomp\.avi: .*unpack it again"):
            KTH(root=str(root), split="test", **SHORT)
    video_file.write_bytes(data[:200] + bytes(len(data) - 200))
    with pytest.raises(DataError, match=r"person17_walking_d1_uncomp\.avi: .*can be decoded"):
        KTH(root=str(root), split="test", **SHORT)
    assert not list((root / "cache").glob("*walking*"))


def test_the_video_that_is_damaged_as_published_is_read_as_far_as_possible(root: Path) -> None:
    """The published set could not be used."""
    one, damaged = (root / "boxing" / f"person01_boxing_d{n}_uncomp.avi" for n in (1, 4))
    damaged.write_bytes(one.read_bytes()[:-700])
    with (root / "00sequences.txt").open("a") as file:
        file.write("person01_boxing_d4\t\tframes\t1-12, 13-24\r\n")
    dataset = KTH(root=str(root), split="train", **SHORT)
    assert any("boxing_d4" in dataset.sample_id(i) for i in range(len(dataset)))


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    """Half of a frame would be grey."""
    write(tmp_path, num_frames=10, persons=(17,), form="jpeg")
    image = tmp_path / "jogging" / "person17_jogging_d1" / "image_0004.jpg"
    data = image.read_bytes()
    for damaged in (data[: len(data) // 2], b"", b"\xff\xd8\xff\xd9"):
        image.write_bytes(damaged)
        with pytest.raises(DataError, match=r"image_0004\.jpg: truncated or not a JPEG"):
            KTH(root=str(tmp_path), split="test", **SHORT)


def test_missing_actions_and_doubled_recordings_are_rejected(root: Path) -> None:
    """Scores would average over five actions, or count a recording twice."""
    videos = root / "running"
    (videos / "person17_running_d1.avi").write_bytes(
        (videos / "person17_running_d1_uncomp.avi").read_bytes()
    )
    with pytest.raises(DataError, match="same recording as"):
        KTH(root=str(root), split="test", **SHORT)
    for path in videos.iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"running: no avi recording"):
        KTH(root=str(root), split="test", **SHORT)


def test_missing_files_and_invalid_arguments_are_reported(root: Path) -> None:
    """A first run would end in a traceback."""
    with pytest.raises(DatasetNotFoundError, match=r"data kth --root"):
        KTH(root=str(root / "nowhere"), split="train")
    write(root, num_frames=2, persons=(17,), form="jpeg")
    with pytest.raises(ConfigError, match="choose with `form=`"):
        KTH(root=str(root), split="train")
    with pytest.raises(DataError, match="no recording has 30 consecutive frames"):
        KTH(root=str(root), split="test", form="jpeg")
    for wrong in ({"form": "mp4"}, {"val_persons": (17,)}, {"num_inputs": 0}, {"split": "tset"}):
        with pytest.raises(ConfigError):
            KTH(**{"root": str(root), "split": "train", **wrong})
    with pytest.raises(ConfigError, match=r"val_persons=\(\) with split 'val'"):
        KTH(root=str(root), split="val", val_persons=())


def test_the_toy_set_has_both_published_horizons(tmp_path: Path) -> None:
    """Configs of 10 to 40 frames could not be tried offline."""
    KTH.make_toy(tmp_path)
    for split in ("train", "val", "test"):
        item = KTH(root=str(tmp_path), split=split, num_targets=40)[0]
        assert item["data_samples"]["frames"].shape == (40, 1, 128, 128)
    dataset = KTH(root=str(tmp_path), split="train")
    assert dataset.metainfo.synthetic
    assert dataset[0]["data_samples"]["frames"].shape == (20, 1, 128, 128)
