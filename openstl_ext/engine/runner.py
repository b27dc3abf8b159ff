"""Runner: build a run from a config; train, validate and test it."""

import logging
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Literal

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmengine.runner import Runner as MMRunner
from torch import nn

from openstl_ext.engine import checkpoint as checkpoints
from openstl_ext.engine import distributed, state
from openstl_ext.engine.best_checkpoint import settle
from openstl_ext.engine.converted_net import check_converted_net
from openstl_ext.engine.defaults import complete, counted_in_iterations
from openstl_ext.engine.fully_shard import is_divided
from openstl_ext.engine.guards import SignalWatch, described_samples, end_workers
from openstl_ext.engine.learning_rate import scale_rates
from openstl_ext.engine.logs import detail, log_environment, tidy_handlers
from openstl_ext.engine.manifest import tidy
from openstl_ext.engine.plan import Facts, plain
from openstl_ext.engine.randomness import WEIGHTS, seed_everything
from openstl_ext.engine.rank_agreement import check_agreement
from openstl_ext.engine.rank_watch import lost_ranks_named
from openstl_ext.engine.run_checks import check_run, hooks_of_test, require_test, warn_unrecorded
from openstl_ext.engine.run_folder import write_config, write_index
from openstl_ext.engine.run_hook import RunHook
from openstl_ext.engine.saved_state import parameter_names
from openstl_ext.engine.validate import located, validate
from openstl_ext.errors import CheckpointError, NonFiniteError, UserError
from openstl_ext.folder_lock import FolderLock
from openstl_ext.interfaces import check_net
from openstl_ext.progress_line import display


def build(cfg: Config, *, train: bool = True) -> "Runner":
    """Build a run with all its parts, so that a mistake in any of them is found at once.

    The test loader and its evaluator are built too: a mistake in them would otherwise be found
    after the training.

    Args:
        cfg: A complete config. ``resume`` is True or a file; ``load_from`` is a file.
        train: Whether the run will train. If not, no training or validation data are needed.

    Raises:
        ConfigError: If the config has a mistake, or if two splits share samples.
        DatasetNotFoundError: If a dataset is missing.
    """
    given, cfg = cfg, complete(cfg)
    validate(cfg)
    distributed.start(cfg.launcher, timeout_seconds=distributed.rank_timeout(cfg))
    remedy = "wait until it has ended, or use another --work-dir"
    lock = FolderLock(cfg.work_dir, "training" if train else "test", remedy=remedy)
    distributed.on_first_rank(lock.acquire)
    try:
        with located(cfg):
            runner = _built(cfg, train=train)
            runner.given = {k: v for k, v in plain(given.to_dict()).items() if k not in OF_THE_CALL}
            runner.prepare()
    except BaseException:
        lock.release()
        raise
    runner.lock = lock
    weakref.finalize(runner, lock.release)
    return runner


def _built(cfg: Config, *, train: bool) -> "Runner":
    """Build a run whose parts are still configs."""
    if train:
        runner = Runner.from_cfg(cfg)
    else:
        require_test(cfg)
        without = {k: v for k, v in cfg.items() if k not in TRAINING}
        runner = Runner.from_cfg(Config(without, filename=cfg.filename))
        runner.cfg = cfg  # baselines are fitted to the training data of the model
        runner._hooks = hooks_of_test(runner.hooks)
    if cfg.get("resume"):
        began_with = checkpoints.processes_of(cfg.resume, cfg.work_dir)
        runner.num_processes = began_with or runner.world_size
    return runner


AUTO = "auto"
"""Value of ``resume`` that continues the run of the work directory, or starts it."""

TRAINING = (
    "train_dataloader",
    "train_cfg",
    "optim_wrapper",
    "param_scheduler",
    "val_dataloader",
    "val_cfg",
    "val_evaluator",
)
OF_THE_CALL = ("resume", "work_dir", "launcher", "track", "experiment_name")
"""Keys of one call of a command, which a saved config does not have."""


class Runner(MMRunner):
    """mmengine's Runner with atomic checkpoints and an exact resume.

    Attributes:
        watch: Signal handler; it stores the signal that shall end the run.
        lock: Lock on the work directory, held while the run is built, trains or tests.
        is_training: Whether ``train`` is running.
        trained: Metadata of the loaded checkpoint: ``epoch``, ``plan`` ...
        given: The config without defaults, as plain values.
        num_processes: Number of processes that the run began with.
        unscheduled: Options of each group of the optimiser, before schedules change them.
        is_tested_next: Whether the command tests the model after its training.
        loads_whole: Whether the weights come from a checkpoint of the entire method.
    """

    # mmengine keeps these as configs until they are needed
    _train_loop: Any
    _val_loop: Any
    _test_loop: Any
    optim_wrapper: Any
    param_schedulers: Any
    auto_scale_lr: Any
    unscheduled: list[dict[str, Any]]
    lock: FolderLock

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.watch = SignalWatch()
        self.is_training = self.is_tested_next = False
        self.trained: dict[str, Any] = {}
        self.given: dict[str, Any] = {}
        resume = kwargs.pop("resume", False)
        if resume == AUTO:
            resume = checkpoints.holds_run(kwargs["work_dir"])
        if resume:  # the weights that the run began with are not needed
            kwargs["load_from"] = resume if isinstance(resume, str) else None
        super().__init__(*args, resume=bool(resume), **kwargs)
        self.num_processes = self.world_size

    @cached_property
    def plan(self) -> Facts:
        """What decides the training; a resume compares it."""
        return state.plan_of(self)

    @cached_property
    def test_plan(self) -> Facts:
        """What decides the scores of the test of the trained model."""
        return state.test_plan_of(self)

    @property
    def loads_whole(self) -> bool:
        return bool(self._resume or self._load_from)

    def prepare(self) -> None:
        """Build the parts that mmengine builds at their first use, and check them together."""
        if self._train_loop is not None:
            self._train_loop = self.build_train_loop(self._train_loop)
            self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
            # once, and before the schedules store the initial rate; mmengine would do it after them
            scale_rates(self)
            self.auto_scale_lr = None
            self.unscheduled = [{**g, "params": []} for g in self.optim_wrapper.param_groups]
            if self.param_schedulers is not None:
                self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
        if self._val_loop is not None:
            self._val_loop = self.build_val_loop(self._val_loop)
        if self._test_loop is not None:
            self._test_loop = self.build_test_loop(self._test_loop)
        check_run(self)

    def _build_param_scheduler(
        self, scheduler: Any, optim_wrapper: OptimWrapper
    ) -> list[_ParamScheduler]:
        """Build the schedules, which count iterations where the training does.

        Raises:
            ConfigError: If a schedule counts epochs in a training that counts iterations.
        """
        parts = list(scheduler) if isinstance(scheduler, list | tuple) else [scheduler]
        if self.train_loop.max_iterations is not None:
            parts = [counted_in_iterations(part) for part in parts]
        return super()._build_param_scheduler(parts, optim_wrapper)

    def build_model(self, model: nn.Module | dict[str, Any]) -> nn.Module:
        """Build the method; its initial weights are a function of the seed only."""
        seed_everything(self.seed, WEIGHTS)
        method = super().build_model(model)
        check_net(method)
        return method

    def wrap_model(self, model_wrapper_cfg: Any, model: nn.Module) -> nn.Module:
        """Wrap the method for several processes, unless it has nothing to train."""
        if not any(parameter.requires_grad for parameter in model.parameters()):
            return model.to(get_device())
        return super().wrap_model(model_wrapper_cfg, model)

    def _init_model_weights(self) -> None:
        """Do nothing: weights are a function of the seed, and mmengine would broadcast a share."""

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the log of the run, and send the messages of this package to it."""
        logger = super().build_logger(*args, **kwargs)
        tidy_handlers(logger)
        package = logging.getLogger("openstl_ext")
        package.handlers = list(logger.handlers)  # those of an earlier run are closed
        package.setLevel(min(handler.level for handler in logger.handlers))
        return logger

    def get_hooks_info(self) -> str:
        """Return the names of the hooks; mmengine's table of all stages fills two screens."""
        return ", ".join(type(hook).__name__ for hook in self.hooks)

    def _log_env(self, env_cfg: dict[str, Any]) -> None:  # noqa: ARG002
        """Log the environment in one line; mmengine's report starts a compiler."""
        log_environment(self)

    def train(self) -> nn.Module:
        """Train to the end, or until a signal arrives.

        Raises:
            CheckpointError: If the work directory contains another run, or there is nothing to
                resume.
            NonFiniteError: If the loss is not finite; the weights are not saved.
        """
        if not self._resume and checkpoints.holds_run(self.work_dir):
            raise CheckpointError(
                f"{self.work_dir} already contains a run; continue it with --resume, or use "
                "another --work-dir (nothing was changed)"
            )
        if self.rank == 0:
            tidy(self.work_dir)
        with self._alone(), self.watch:
            self.is_training = True
            try:
                model = super().train()
                if self.rank == 0:  # at the end, or where a hook has stopped the training
                    checkpoints.mark_finished(self.work_dir, self.iter)
                write_index(self)
                return model
            finally:
                self.is_training = False

    def val(self) -> dict[str, float]:
        """Evaluate the model on the validation split."""
        try:
            return super().val()
        finally:
            self._end_workers()

    def test(self) -> dict[str, float]:
        """Evaluate the model on the test split; after training, the best checkpoint."""
        require_test(self.cfg)
        warn_unrecorded(self)
        if self._train_loop is not None and self.train_loop.iter:
            if checkpoints.has_best(self.work_dir):
                self._load_from = str(checkpoints.best(self.work_dir))
            else:
                self._load_from = str(checkpoints.newest(self.work_dir, self.logger.warning)[0])
            self.cfg.load_from = self._load_from
            self._has_loaded = False
        self._resume = False
        with self._alone():
            scores = super().test()
            write_index(self)
            return scores

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock the work directory, name a lost rank, and end workers and trackers afterwards."""
        with lost_ranks_named():
            distributed.on_first_rank(self.lock.acquire)
            try:
                yield
            finally:
                display().close()
                self.visualizer.close()  # hooks do so only where no error ends the run
                self._end_workers()
                self.lock.release()

    def _end_workers(self) -> None:
        loops = (self._train_loop, self._val_loop, self._test_loop)
        end_workers(loop.dataloader for loop in loops if hasattr(loop, "dataloader"))

    def load_or_resume(self) -> None:
        """Resume a run, load weights, or do neither, once.

        Raises:
            CheckpointError: If the requested checkpoint cannot be used.
        """
        if self._has_loaded:
            return
        if self._resume:
            self.resume(self._load_from)
        elif self._load_from:
            self.load_checkpoint(self._load_from)
        self._has_loaded = True
        if self.is_training and self.rank == 0:
            write_config(self)
            write_index(self)

    def dump_config(self) -> None:
        """Write nothing: the run may be refused, or be a test of another run."""

    def resume(self, filename: str | None = None, *_: Any, **__: Any) -> None:
        """Resume from a file, or from the newest intact checkpoint of the work directory."""
        warn, folder = self.logger.warning, self.work_dir
        path, saved = checkpoints.to_resume(filename, folder, warn)
        is_longer, meta = state.restore(self, saved, path.name), saved["meta"]
        if filename:
            checkpoints.check_same_run(path, folder, meta)
        finished = checkpoints.is_finished(folder, self.iter)
        self.train_loop.is_finished = finished and not is_longer
        self._wait()  # every rank has read the manifest before it changes
        if self.rank == 0:
            stated = state.stated(self) if is_longer else None
            settle(path, folder, meta, warn, iteration=self.iter, stated=stated)
        self._wait()
        self.logger.info(f"resumed from {path} after {self.iter} iterations")

    def load_checkpoint(self, filename: str, *_: Any, **__: Any) -> dict[str, Any]:
        """Load the weights of an entire method, strictly."""
        saved = checkpoints.read_for(state.unwrap(self.model), filename)
        self.call_hook("after_load_checkpoint", checkpoint=saved)
        check_converted_net(saved, self.cfg.get("model") or {}, filename)
        checkpoints.load_weights(state.unwrap(self.model), saved["state_dict"])
        self.trained = dict(saved["meta"])
        detail(self.logger, f"weights from {filename}")
        if message := checkpoints.selection_warning(filename):
            self.logger.warning(message)
        return saved

    def save_resumable(self, *, epoch: int, iteration: int) -> None:
        """Save the complete state; called by every rank.

        Args:
            epoch: Epoch that the last iteration belongs to, from 0.
            iteration: Number of iterations done.
        """
        ends_epoch = iteration == (epoch + 1) * len(self.train_dataloader)
        by_epoch = ends_epoch and self.train_loop.max_iterations is None
        name = f"epoch_{epoch + 1}" if by_epoch else f"iter_{iteration}"
        entry = checkpoints.Entry(
            file=f"{name}.pth", kind="resume", epoch=epoch + 1, iteration=iteration
        )
        self._save(entry)

    def save_best(self, *, key: str, value: float, rule: Literal["less", "greater"]) -> None:
        """Save the weights that have just been evaluated; called by every rank."""
        epoch = -(-self.iter // len(self.train_dataloader))
        # one name for each: with one name for all, a kill before the manifest is rewritten would
        # leave a file whose checksum is not the listed one
        by_epoch = self.train_loop.max_iterations is None
        name = f"best_epoch_{epoch}.pth" if by_epoch else f"best_iter_{self.iter}.pth"
        place = {"file": name, "epoch": epoch, "iteration": self.iter}
        self._save(checkpoints.Entry(kind="best", **place, metric=key, value=value, rule=rule))

    def best_value(self, key: str) -> float | None:
        """Return the best validation score of this run so far."""
        for entry in checkpoints.read_manifest(self.work_dir):
            if entry.kind == "best" and entry.metric == key:
                return entry.value
        return None

    def _save(self, entry: checkpoints.Entry) -> None:
        with self.train_loop.clock.paused():
            check_agreement(self)
            distributed.share_buffers(state.unwrap(self.model))
            error: Exception | None = None
            # files and manifest count epochs from 1, the loop from 0
            place = {"epoch": entry.epoch - 1, "iteration": entry.iteration}
            if self.rank and is_divided(self.model):
                state.gather(self, **place)
            if self.rank == 0:
                try:
                    saved = state.gather(self, **place)
                    names = parameter_names(self)
                    checkpoints.save(saved, self.work_dir, entry, keep=self._keep, parameters=names)
                    detail(self.logger, f"saved {entry.file} after {entry.iteration} iterations")
                except NonFiniteError as caught:
                    samples = described_samples(self, entry.iteration - 1)
                    error = NonFiniteError(f"{caught}; the last batch: {samples}")
                except (UserError, OSError) as caught:
                    error = caught
            distributed.agree_on_error(error)

    @property
    def _keep(self) -> int:
        hooks = (hook for hook in self.hooks if isinstance(hook, RunHook))
        return next((hook.keep for hook in hooks if hook.keep is not None), 2)

    def _wait(self) -> None:
        if self.world_size > 1:
            torch.distributed.barrier()
