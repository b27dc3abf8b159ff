"""Synthetic recordings in the format of KTH."""

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_folder, atomic_path, atomic_write
from openstl_ext.datasets.kth.files import ACTIONS, SEQUENCES
from openstl_ext.datasets.synthetic.marker import mark
from openstl_ext.progress_line import tracked

WIDTH, HEIGHT, RATE = 160, 120, 25
CROSSING = {"jogging": 0.021, "running": 0.034, "walking": 0.013}
"""Speed of the actions that move, in image widths per frame."""


def write(
    root: Path,
    *,
    num_frames: int = 70,
    persons: Sequence[int] = (1, 2, 3, 4, 15, 16, 17, 18),
    form: str = "avi",
    seed: int = 0,
) -> None:
    """Write recordings of a stick figure, one scenario of each person and action.

    Args:
        root: Folder to write to.
        num_frames: Length of each recording; the real ones have about 500.
        persons: Numbers of the persons; 1-14 train, 15 and 16 validate, 17-25 test.
        form: "avi" or "jpeg".
        seed: Seed of all draws.
    """
    mark(root, "KTH")
    lines = []
    every = [(action, person) for action in ACTIONS for person in persons]
    for action, person in tracked(every, "drawing", "recordings"):
        (root / action).mkdir(parents=True, exist_ok=True)
        chance = np.random.default_rng((seed, person, ACTIONS.index(action)))
        frames = figure(action, num_frames, chance)
        name = f"person{person:02d}_{action}_d1"
        if form == "avi":
            _write_avi(root / action / f"{name}_uncomp.avi", frames)
        else:
            with atomic_folder(root / action / name) as folder:
                for number, frame in enumerate(frames, start=1):
                    encoded = cv2.imencode(".jpg", np.stack([frame] * 3, axis=-1))[1]
                    (folder / f"image_{number:04d}.jpg").write_bytes(encoded.tobytes())
        lines.append(f"{name}\t\tframes\t1-{num_frames // 2}, {num_frames // 2 + 1}-{num_frames}")
    if form == "avi":
        atomic_write(root / SEQUENCES, ("\r\n".join(lines) + "\r\n").encode())


def figure(
    action: str, num_frames: int, chance: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    """Yield frames (120, 160) of a stick figure that performs an action."""
    height = chance.uniform(52, 68)
    pace, phase, place = chance.uniform((0.25, 0, 0.3), (0.4, 6.28, 0.7))
    tone = int(chance.uniform(20, 70))
    for t in range(num_frames):
        swing = np.sin(pace * t + phase)
        across = (place + CROSSING.get(action, 0) * t) % 1.4 - 0.2
        hip = np.array([WIDTH * across, HEIGHT - 0.52 * height])
        neck, head = hip - [0, 0.3 * height], hip - [0, 0.42 * height]
        frame = np.full((HEIGHT, WIDTH), 190, np.uint8)
        reach = 0.3 * height
        arms = {
            "boxing": [(1, -0.1), (0.6 + 0.6 * swing, 0)],
            "handclapping": [(0.6 * swing + 0.6, 0.1), (-0.6 * swing - 0.6, 0.1)],
            "handwaving": [(1, -swing), (-1, -swing)],
        }.get(action, [(0.6 * swing, 0.7), (-0.6 * swing, 0.7)])
        stride = 0.7 * swing if action in CROSSING else 0.25
        limbs = [(neck, neck + reach * np.array(arm)) for arm in arms]
        limbs += [
            (hip, hip + np.array([side * 0.3 * height * stride, 0.5 * height])) for side in (1, -1)
        ]
        for start, end in [(hip, neck), *limbs]:
            first, last = _sixteenths(start), _sixteenths(end)
            cv2.line(frame, first, last, tone, thickness=4, lineType=cv2.LINE_AA, shift=4)
        cv2.circle(frame, _sixteenths(head), int(16 * 0.09 * height), tone, -1, cv2.LINE_AA, 4)
        yield frame


def _sixteenths(point: NDArray[np.float64]) -> tuple[int, int]:
    """Return a point in sixteenths of a pixel, as OpenCV expects with ``shift=4``."""
    return round(16 * point[0]), round(16 * point[1])


def _write_avi(path: Path, frames: Iterator[NDArray[np.uint8]]) -> None:
    code = cv2.VideoWriter.fourcc(*"XVID")
    with atomic_path(path, suffix=".avi") as part:  # OpenCV chooses the container by the suffix
        writer = cv2.VideoWriter(str(part), code, RATE, (WIDTH, HEIGHT))
        for frame in frames:
            writer.write(np.stack([frame] * 3, axis=-1))
        writer.release()
        written = part.read_bytes()
        length = int.from_bytes(written[4:8], "little")  # of all after these eight bytes
        if not written or length != len(written) - 8 or b"idx1" not in written:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # OpenCV reports no error
