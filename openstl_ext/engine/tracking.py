"""Where scalars go: a file of JSON lines and TensorBoard, on one axis of iterations.

mmengine's own sinks write validation over epochs and training over iterations, start a new folder
with every restart, write NaN (which is no JSON), and ask for a package that we do not need.
"""

import json
import math
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.visualization.vis_backend import BaseVisBackend

from openstl_ext.durable import write_whole
from openstl_ext.registry import VISBACKENDS

AXES = ("iter", "epoch", "step")


class _Tracker(BaseVisBackend):
    """What both sinks share: where they write, and what a resume does to what is there.

    A run that is resumed goes on in the same place. What was written after the point of resume is
    taken back when the first new scalar arrives, or the curve would have two ends. A run that
    starts anew starts an empty curve.
    """

    def __init__(self, save_dir: str | None = None) -> None:
        self._save_dir: str = save_dir or "."
        super().__init__(self._save_dir)
        self._resumed = False
        self._begun = False

    @property
    def experiment(self) -> Any:
        """The sink itself."""
        return self

    def _init_env(self) -> None:
        """Nothing: the place is made when the first scalar arrives."""

    def add_config(self, config: Config, **kwargs: Any) -> None:  # noqa: ARG002
        """Learn from the config of the run where it lives, and whether it is resumed.

        mmengine offers a folder with the time of the start in its name, which a restart would not
        find again.
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
        """Write the scalars of one place in the run; training says its iteration among them."""
        phase = "train" if "iter" in scalar_dict else "val"
        self._write(scalar_dict, step, phase=phase)

    def _write(self, scalars: dict[str, Any], step: int, *, phase: str | None) -> None:
        values = {name: number(value) for name, value in scalars.items() if name not in AXES}
        if not self._begun:
            self._begun = True
            # a resume may begin with the validation of the iteration that was trained last
            self._begin(Path(self._save_dir), step if phase == "train" else step + 1)
        self._put({k: v for k, v in values.items() if v is not None}, step, phase)

    def _begin(self, folder: Path, step: int) -> None:
        """Open the place, without what was written at ``step`` and later."""
        raise NotImplementedError

    def _put(self, values: dict[str, float], step: int, phase: str | None) -> None:
        raise NotImplementedError


@VISBACKENDS.register_module()
class JsonLinesTracker(_Tracker):
    """Append scalars to ``scalars.jsonl`` in the work directory, one JSON object a line.

    A value that is not finite is written as null. The file is opened for each line, so a kill
    loses none, and nothing is left open.

    Args:
        save_dir: Folder of the file, until the config of the run names its work directory.
    """

    filename = "scalars.jsonl"

    def _begin(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.filename
        kept = [e for e in entries(path) if e["step"] < step] if self._resumed else []
        write_whole(path, "".join(json.dumps(entry) + "\n" for entry in kept).encode())
        self._path = path

    def _put(self, values: dict[str, float], step: int, phase: str | None) -> None:
        place = {"step": step} if phase is None else {"step": step, "phase": phase}
        finite = {name: v if math.isfinite(v) else None for name, v in values.items()}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**place, **finite}, allow_nan=False) + "\n")


def entries(path: Path) -> list[dict[str, Any]]:
    """What a file of scalars holds; a line that a kill cut off is passed over."""
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
class TensorboardXTracker(_Tracker):
    """Write finite scalars for TensorBoard, below ``tensorboard/`` in the work directory.

    Args:
        save_dir: Folder above it, until the config of the run names its work directory.
        flush_seconds: How much a kill may lose.
    """

    def __init__(self, save_dir: str | None = None, *, flush_seconds: int = 10) -> None:
        super().__init__(save_dir)
        self.flush_seconds = flush_seconds
        self._writer: Any = None

    def _begin(self, folder: Path, step: int) -> None:
        from tensorboardX import SummaryWriter  # takes a second, which tools that only list need

        # TensorBoard itself hides what older files of the folder hold from that step on
        self._writer = SummaryWriter(
            logdir=str(folder / "tensorboard"),
            purge_step=step if self._resumed else 0,
            flush_secs=self.flush_seconds,
            filename_suffix=f".{step}",  # or a restart within the second overwrites the file
        )

    def _put(self, values: dict[str, float], step: int, phase: str | None) -> None:
        for name, value in values.items():
            if math.isfinite(value):
                tag = name if phase is None else f"{phase}/{name}"
                self._writer.add_scalar(tag, value, global_step=step)

    def close(self) -> None:
        """Write what is buffered; a later scalar opens a new file."""
        if self._writer is not None:
            self._writer.close()
            self._writer, self._begun, self._resumed = None, False, True


def number(value: Any) -> float | int | None:
    """A value as a plain number; None if it is none."""
    if isinstance(value, bool | int | float):
        return value
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return None
