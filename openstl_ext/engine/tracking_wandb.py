"""Tracker of Weights & Biases, whose failures do not end a run."""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from mmengine.config import Config
from mmengine.dist import is_main_process
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_write
from openstl_ext.engine.tracking import Tracker
from openstl_ext.errors import ConfigError, nearest
from openstl_ext.registry import VISBACKENDS

MODES = ("offline", "online")
AXIS = "iteration"
"""Name of the axis. W&B's own step only grows, and rejects scalars of an earlier step."""
SECONDS = 60
"""Seconds that a run waits for an answer before it continues without W&B."""

log = logging.getLogger(__name__)


@VISBACKENDS.register_module()
class WandbTracker(Tracker):
    """Send finite scalars and pictures to Weights & Biases, on the axis of the other trackers.

    If the library is missing, or a call fails, there is one warning, and the run continues without
    it. The other trackers have the same scalars.

    A run stores its id in its work directory, so a resume and a test continue the same run of W&B.
    Sent scalars cannot be removed there; a resumed run repeats the same values bit for bit, so its
    curve still has one end.

    Args:
        save_dir: Folder of the run; replaced by the work directory of the run.
        mode: ``offline`` writes below ``wandb/`` in the work directory, for ``wandb sync`` later;
            ``online`` sends at once, and needs a login.
        project: Project of the run.
        name: Name of the run; by default its config and seed.
        group: Group of the run; by default its config.

    Raises:
        ConfigError: If the mode is unknown.
    """

    filename = "wandb_id.txt"

    def __init__(
        self,
        save_dir: str | None = None,
        *,
        mode: Literal["offline", "online"] = "offline",
        project: str = "openstl_ext",
        name: str | None = None,
        group: str | None = None,
    ) -> None:
        super().__init__(save_dir)
        if mode not in MODES:
            raise ConfigError(f"WandbTracker.mode={mode!r} is unknown; {nearest(mode, MODES)}")
        self.mode, self.project, self.name, self.group = mode, project, name, group
        self._config = Config()
        self._run: Any = None
        self._broken = False

    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Read the work directory, and store the config until the first scalar arrives."""
        super().add_config(config, **kwargs)
        self._config = config

    def close(self) -> None:
        """Wait until W&B has sent its data; a later scalar continues the same run."""
        if self._run is not None:
            run, self._run = self._run, None
            self._try("finishing", lambda: within(SECONDS, run.finish))
            self._begun, self._resumed = False, True

    def _begin(self, folder: Path, step: int) -> None:  # noqa: ARG002
        if self._run is None:
            self._try("starting", lambda: self._start(folder, fresh=not self._resumed))

    def _put(self, values: dict[str, float], step: int, phase: str | None) -> None:
        prefix = "" if phase is None else f"{phase}/"
        finite = {prefix + name: v for name, v in values.items() if np.isfinite(v)}
        self._log(lambda: finite, step)

    def _show(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        if self._run is None:
            self._try("starting", lambda: self._start(Path(self._save_dir), fresh=False))
        self._log(lambda: {name: _wandb().Image(image)}, step)

    def _log(self, content: Callable[[], dict[str, Any]], step: int) -> None:
        if self._run is not None:
            self._try("logging", lambda: self._run.log({AXIS: step, **content()}))

    def _start(self, folder: Path, *, fresh: bool) -> None:
        """Continue the run of this folder, or start one."""
        if not is_main_process():
            return
        wandb, config = _wandb(), self._config
        identity = str(config.get("identity") or folder.name)
        folder.mkdir(parents=True, exist_ok=True)
        run = wandb.init(
            project=self.project,
            name=self.name or f"{identity} seed {config.get('seed', 0)}",
            group=self.group or identity,
            mode=self.mode,
            id=run_id(folder / self.filename, fresh=fresh),
            resume="allow",
            dir=str(folder.resolve()),
            config=config.to_dict(),
            allow_val_change=True,  # a resumed run has resume=True
            # no login prompt, which may remain unanswered; the run has its own log
            settings={"init_timeout": SECONDS, "login_timeout": SECONDS, "console": "off"},
        )
        run.define_metric(AXIS)
        run.define_metric("*", step_metric=AXIS)
        self._run = run

    def _try(self, doing: str, call: Callable[[], None]) -> None:
        """Call W&B unless a call has failed before; the first failure is logged."""
        if self._broken:
            return
        try:
            call()
        except Exception as error:  # no failure of a tracker may end the run
            self._broken, self._run = True, None
            first = str(error).partition("\n")[0]
            log.warning(
                f"W&B is not used from here on: {doing} it failed ({type(error).__name__}: "
                f"{first}); the scalars are also in the work directory. Install it with "
                "pip install wandb; mode='offline' needs no network"
            )


def run_id(path: Path, *, fresh: bool) -> str:
    """Return the id in a file, or write a new one to it.

    Args:
        path: The file.
        fresh: Whether the run is new, so that an id in the file is that of another run.
    """
    known = "" if fresh or not path.is_file() else path.read_text(encoding="utf-8").strip()
    if not known:
        known = os.urandom(4).hex()  # not from the seeded generators of the run
        atomic_write(path, f"{known}\n".encode())
    return known


def within(seconds: float, call: Callable[[], Any]) -> None:
    """Call a function that may wait for a network forever.

    Raises:
        TimeoutError: If it has not returned in time; its thread is not stopped.
        Exception: The exception of the call.
    """
    failed: list[Exception] = []

    def guarded() -> None:
        try:
            call()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"no answer within {seconds:g} s")
    if failed:
        raise failed[0]


def _wandb() -> Any:
    """Import the optional library, when the first scalar arrives."""
    import wandb

    return wandb
