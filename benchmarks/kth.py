"""Reading KTH samples, 10 to 20 frames, in one worker of a DataLoader."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from benchmarks.harness import Row, compare
from openstl_ext.datasets.kth.dataset import KTH
from openstl_ext.datasets.synthetic.kth import write

NUM_SAMPLES, LENGTH, SIDE = 60, 30, 128
PERSONS = tuple(range(1, 7))


def frames_of_film(path: Path, first: int) -> torch.Tensor:
    """Return a window of a film, decoded from its beginning."""
    video = cv2.VideoCapture(str(path))
    for _ in range(first):
        video.grab()
    frames = [cv2.resize(np.float32(video.read()[1][:, :, 2]), (SIDE, SIDE)) for _ in range(LENGTH)]
    video.release()
    return torch.from_numpy(np.stack(frames)[:, None] / 255).float()


def frames_of_pictures(folder: Path, first: int) -> torch.Tensor:
    """Return a window of a folder of pictures."""
    frames = []
    for number in range(first + 1, first + 1 + LENGTH):
        picture = cv2.imread(str(folder / f"image_{number:04d}.jpg"))
        frames.append(cv2.resize(np.float32(picture[:, :, 2]), (SIDE, SIDE)))
    return torch.from_numpy(np.stack(frames)[:, None] / 255).float()


def rows() -> Iterator[Row]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    for form, read, goal in (("avi", frames_of_film, 5), ("jpeg", frames_of_pictures, 2)):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write(root, num_frames=300, persons=PERSONS, form=form)
            ours = KTH(root=folder, split="train", val_persons=())
            chosen = random.Random(0).choices(range(len(ours)), k=NUM_SAMPLES)
            places = [ours.sample_id(i).rpartition("-") for i in chosen]
            suffix = "_uncomp.avi" if form == "avi" else ""
            windows = [
                (root / name.split("_")[1] / f"{name}{suffix}", int(first) - 1)
                for name, _, first in places
            ]
            slow, fast = compare(
                lambda windows=windows, read=read: [read(*window) for window in windows],
                lambda ours=ours, chosen=chosen: [ours[i] for i in chosen],
            )
        name = f"read {NUM_SAMPLES} KTH samples of {LENGTH} x {SIDE} x {SIDE} from the cache"
        yield Row(name, f"decode the {form} each time", slow, fast, goal)
    torch.set_num_threads(threads)
