"""Trackers of scalars and pictures: JSON lines and TensorBoard, on one axis of iterations.

mmengine's own backends write validation over epochs and training over iterations, start a new
folder at every restart, write NaN (which is not JSON), and need a further package.
"""

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.visualization.vis_backend import BaseVisBackend
from numpy.typing import NDArray

from openstl_ext.atomic_io import append_line, atomic_write
from openstl_ext.registry import VISBACKENDS
from openstl_ext.value_types import Count

AXES = ("iter", "epoch", "step")


class Tracker(BaseVisBackend):
    """Base class of trackers: the folder of the run, and the handling of a resume.

    A resumed run continues in the same place. Scalars after the point of the resume are removed
    when the first new scalar arrives; otherwise the curve would have two ends. A new run starts an
    empty curve. A picture removes nothing and starts no curve: a test adds one to the curves of
    its run.
    """

    def __init__(self, save_dir: str | None = None) -> None:
        self._save_dir: str = save_dir or "."
        super().__init__(self._save_dir)
        self._resumed = False
        self._begun = False

    @property
    def experiment(self) -> Any:
        """Return the tracker itself."""
        return self

    def _init_env(self) -> None:
        """Do nothing: files are created when the first scalar arrives."""

    def add_config(self, config: Config, **kwargs: Any) -> None:  # noqa: ARG002
        """Read from the config of the run its work directory, and whether it is resumed.

        mmengine's folder has the time of the start in its name, so a restart would use another.
        """
        self._save_dir = config.get("work_dir") or self._save_dir
        self._resumed = bool(config.get("resume"))

    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs: Any) -> None:  # noqa: ARG002
        """Write one scalar."""
        self._write({name: value}, step, phase=None)

    def add_scalars(
        self,
        scalar_dict: dict[str, Any],
        step: int = 0,
        file_path: str | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Write the scalars of one place in the run; those of training include ``iter``."""
        phase = "train" if "iter" in scalar_dict else "val"
        self._write(scalar_dict, step, phase=phase)

    def add_image(
        self,
        name: str,
        image: NDArray[np.uint8],
        step: int = 0,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Write one picture; a tracker without pictures omits it.

        Shape:
            - image: (H, W, 3), RGB.
        """
        self._show(name, image, step)

    def _write(self, scalars: dict[str, Any], step: int, *, phase: str | None) -> None:
        values = {name: number(value) for name, value in scalars.items() if name not in AXES}
        if not self._begun:
            self._begun = True
            # a resume may start with the validation of the last trained iteration
            self._begin(Path(self._save_dir), step if phase == "train" else step + 1)
        self._put({k: v for k, v in values.items() if v is not None}, step, phase)

    def _begin(self, folder: Path, step: int) -> None:
        """Open the files, without the scalars of ``step`` and later."""
        raise NotImplementedError

    def _put(self, values: dict[str, float], step: int, phase: str | None) -> None:
        raise NotImplementedError

    def _show(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        """Write a picture, if the tracker has pictures."""


@VISBACKENDS.register_module()
class JsonLinesTracker(Tracker):
    """Append scalars to ``scalars.jsonl`` in the work directory, one JSON object per line.

    A value that is not finite is written as null. The file is opened for each line, so a kill
    loses no line.

    Args:
        save_dir: Folder of the file; replaced by the work directory of the run.
    """

    filename = "scalars.jsonl"

    def _begin(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.filename
        kept = [e for e in entries(path) if e["step"] < step] if self._resumed else []
        atomic_write(path, "".join(json.dumps(entry) + "\n" for entry in kept).encode())
        self._path = path

    def _put(self, values: dict[str, float], step: int, phase: str | None) -> None:
        place = {"step": step} if phase is None else {"step": step, "phase": phase}
        finite = {name: v if math.isfinite(v) else None for name, v in values.items()}
        append_line(self._path, json.dumps({**place, **finite}, allow_nan=False))


def entries(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of scalars; a line cut off by a kill is skipped."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("step"), int):
            found.append(entry)
    return found


@VISBACKENDS.register_module()
class TensorboardXTracker(Tracker):
    """Write finite scalars and pictures for TensorBoard, into ``tensorboard/`` of the run.

    Args:
        save_dir: Folder above it; replaced by the work directory of the run.
        flush_seconds: Seconds between flushes, which a kill can lose.
    """

    def __init__(self, save_dir: str | None = None, *, flush_seconds: Count = 10) -> None:
        super().__init__(save_dir)
        self.flush_seconds = flush_seconds
        self._writer: Any = None

    def _begin(self, folder: Path, step: int) -> None:
        self._close_writer()
        # TensorBoard hides the scalars of older files from this step on
        self._open(folder, f".{step}", purge_step=step if self._resumed else 0)

    def _open(self, folder: Path, suffix: str, *, purge_step: int | None) -> None:
        from tensorboardX import SummaryWriter  # takes a second

        self._writer = SummaryWriter(
            logdir=str(folder / "tensorboard"),
            purge_step=purge_step,
            flush_secs=self.flush_seconds,
            filename_suffix=suffix,  # otherwise a restart within a second overwrites the file
        )

    def _put(self, values: dict[str, float], step: int, phase: str | None) -> None:
        from tensorboardX.proto.summary_pb2 import Summary

        prefix = "" if phase is None else f"{phase}/"
        # not add_scalar, which would write mse@1 as mse_1
        shown = [
            Summary.Value(tag=prefix + name, simple_value=float(value))
            for name, value in values.items()
            if math.isfinite(value)
        ]
        if shown:
            self._writer.file_writer.add_summary(Summary(value=shown), step)

    def _show(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        if self._writer is None:
            self._open(Path(self._save_dir), f".{step}.{time.time_ns()}", purge_step=None)
        self._writer.add_image(name, image, global_step=step, dataformats="HWC")

    def close(self) -> None:
        """Write buffered scalars; a later scalar opens a new file."""
        self._close_writer()
        if self._begun:
            self._begun, self._resumed = False, True

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def number(value: Any) -> float | int | None:
    """Return a value as a plain number, or None if it is not a number."""
    if isinstance(value, bool | int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return None
