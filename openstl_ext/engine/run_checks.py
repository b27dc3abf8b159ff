"""Checks that compare the parts of a built run with each other, before its first iteration."""

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook, EMAHook, Hook, ProfilerHook

from openstl_ext.engine import state
from openstl_ext.engine.fully_shard import is_divided
from openstl_ext.engine.pretrained import PretrainedHook
from openstl_ext.engine.run_hook import RunHook
from openstl_ext.engine.sample_agreement import check_samples
from openstl_ext.engine.scores import check_names, check_waiting
from openstl_ext.engine.split_overlap import check_disjoint, names_test_split
from openstl_ext.errors import ConfigError
from openstl_ext.interfaces import FrameModel, provides


def require_test(cfg: Config) -> None:
    """Check that a config has a test split.

    Raises:
        ConfigError: If it has none, as for pre-training.
    """
    if cfg.get("test_dataloader") is None:
        raise ConfigError(
            f"{cfg.get('identity') or cfg.filename} has no test_dataloader, so there is nothing "
            "to test; add test_dataloader and test_evaluator to the config"
        )


def hooks_of_test(hooks: Sequence[Hook]) -> list[Hook]:
    """Leave out hooks of mmengine that need the training loop, even where they are not called."""
    return [hook for hook in hooks if not isinstance(hook, EarlyStoppingHook | ProfilerHook)]


def warn_unrecorded(runner: Any) -> None:
    """Warn of a test without a record, as where a list of hooks has replaced that of a base."""
    if not any(type(hook).__name__ == "ResultHook" for hook in runner.hooks):
        runner.logger.warning(
            "custom_hooks has no ResultHook, so this test prints no score and writes no record; to "
            "add hooks to those of a base, write [*_base_.custom_hooks, dict(...)]"
        )


def require_training(cfg: Config) -> None:
    """Check that a config trains something.

    Raises:
        ConfigError: If it has no training split, as for nearest neighbours.
    """
    if cfg.get("train_dataloader") is None:
        raise ConfigError(
            f"{cfg.get('identity') or cfg.filename} has no train_dataloader, so there is nothing "
            "to train; use `openstl-ext test`, or add train_dataloader, train_cfg and optim_wrapper"
        )


def check_run(runner: Any) -> None:
    """Check evaluators, method, samples, and what waits for scores.

    Args:
        runner: The run, with all loops built that it has.

    Raises:
        ConfigError: If the parts do not fit, a cycle is too short, or two splits share samples.
    """
    train, val, test = runner._train_loop, runner._val_loop, runner._test_loop
    method: Any = state.unwrap(runner.model)
    for where, loop in (("val_evaluator", val), ("test_evaluator", test)):
        if loop is not None:
            check_names(loop.evaluator.metrics, where)
            check_answers(loop, method, where)
    predicting = [loop for loop in (val, test) if loop is not None and not loop.encodes]
    if predicting and method.answers is None:
        raise ConfigError(
            f"{type(method).__name__} has a loss only, so it cannot be evaluated; remove "
            "val_dataloader and test_dataloader, with their evaluators, from the config"
        )
    for loop in (train, val, test):
        if loop is not None:
            check_bands(method, loop.dataloader.dataset)
            check_classes(method, loop.dataloader.dataset)
    if train is None:
        return
    warn_of_random_features(runner, method)
    if is_divided(runner.model) and any(isinstance(hook, EMAHook) for hook in runner.hooks):
        raise ConfigError(
            "model_wrapper_cfg: FullyShard has no averages of weights; remove the EMAHook, or "
            "model_wrapper_cfg"
        )
    loops = {"train": train, "val": val, "test": test}
    check_splits(runner, {k: loop.dataloader.dataset for k, loop in loops.items() if loop})
    check_cycles(runner)
    metrics = val.evaluator.metrics if val is not None else []
    check_waiting([*state.schedulers(runner), *runner.hooks], metrics, num_leads(val))
    for hook in runner.hooks:
        if isinstance(hook, RunHook):
            hook.check(runner, metrics, state.accumulative_counts(runner))


def warn_of_random_features(runner: Any, method: Any) -> None:
    """Warn if a frozen encoder has random weights, as it should have in a baseline only."""
    net: Any = getattr(method, "net", None)
    frozen = getattr(method, "frozen", False) or getattr(net, "frozen", False)
    if not frozen or runner.loads_whole or next(net.parameters(), None) is None:
        return
    if not any(isinstance(hook, PretrainedHook) for hook in runner.hooks):
        runner.logger.warning(
            "the encoder is frozen and has random weights; for those of a pre-training, add a "
            "PretrainedHook to custom_hooks"
        )


def check_answers(loop: Any, method: Any, where: str) -> None:
    """Compare the metrics of a loop with what its method predicts.

    Raises:
        ConfigError: If a metric of frames is named for labels; it would end the first validation.
    """
    if not loop.encodes and method.answers != "labels":
        return
    for metric in loop.evaluator.metrics:
        if "forecast" in getattr(metric, "requires", ()):
            raise ConfigError(
                f"{where}: {type(metric).__name__} is a score of frames, but the samples have "
                "labels; use a score of labels, such as OverallAccuracy or IoU"
            )


def check_bands(method: Any, dataset: Any) -> None:
    """Compare the bands of a dataset with the spectrum of the net, for images of sensors.

    Raises:
        ConfigError: If the net does not have a band, has it with another range or under another
            index; its weights would be those of other wavelengths.
    """
    net = getattr(method, "net", None)
    spectrum = getattr(net, "spectrum", None) or getattr(
        getattr(net, "encoder", None), "spectrum", None
    )
    if spectrum is None:
        return
    known = {band.index: name for name, band in spectrum.bands.items() if band.index is not None}
    for name, band in (getattr(dataset, "sensor_bands", None) or {}).items():
        theirs = spectrum.bands.get(name)
        if band.index == getattr(theirs, "index", None) and meaning(band) == meaning(theirs):
            continue
        if theirs is None:
            what = f"{known[band.index]!r}" if band.index in known else "none"
        else:
            what = f"{name!r} is band {theirs.index} of {theirs.min_nm:g}-{theirs.max_nm:g} nm"
        raise ConfigError(
            f"band {band.index} is {name!r} of {band.min_nm:g}-{band.max_nm:g} nm in the data, but "
            f"{what} in {type(net).__name__}; name the same files in sensors of the net, in the "
            "order of the data"
        )


def meaning(band: Any) -> tuple[Any, ...]:
    """Return what the projection of a band depends on."""
    return band.min_nm, band.max_nm, band.polarisation, band.interpolated_from


def check_classes(method: Any, dataset: Any) -> None:
    """Compare the number of classes of a method or its net with that of a dataset.

    Raises:
        ConfigError: If they differ; a label without a logit would end the first iteration.
    """
    net = getattr(method, "net", None)
    place = "model" if hasattr(method, "num_classes") else "model.net"
    number = getattr(method, "num_classes", getattr(net, "num_classes", None))
    classes = getattr(getattr(dataset, "metainfo", None), "classes", ())
    if isinstance(number, int) and classes and max(number, 2) != len(classes):
        raise ConfigError(
            f"{place}.num_classes is {number}, but the data have {len(classes)} classes: "
            f"{', '.join(classes)}; set {place}.num_classes={len(classes)}"
        )


def check_splits(runner: Any, sets: dict[str, Any]) -> None:
    """Compare ids and shapes of the samples of all loaders; see ``check_disjoint``.

    Args:
        runner: The run.
        sets: Datasets by split.

    Raises:
        ConfigError: If two splits share samples, or samples differ where they must agree.
    """
    val = (runner.cfg.get("val_dataloader") or {}).get("dataset")
    if check_disjoint(sets, val_names_test=names_test_split(val)):
        runner.logger.warning(
            "validation uses samples of the test split, so the test score of the best "
            "checkpoint is too optimistic; compare it with published scores only"
        )
    fixed = provides(getattr(state.unwrap(runner.model), "net", None), FrameModel)
    overrides = runner.cfg.get("overrides") or ()
    # an encoder is evaluated on samples of another form than those of its training
    loops = {"val": runner._val_loop, "test": runner._test_loop}
    alike = {name: d for name, d in sets.items() if not getattr(loops.get(name), "encodes", False)}
    if difference := check_samples(alike, overrides, has_fixed_horizon=fixed):
        runner.logger.warning(difference)


def check_cycles(runner: Any) -> None:
    """Check that a cycle is as long as the training; mmengine raises an error at its end.

    Raises:
        ConfigError: If one is shorter.
    """
    for index, schedule in enumerate(state.schedulers(runner)):
        steps, unit = getattr(schedule, "total_steps", None), "iterations"
        length = runner.max_iters
        if schedule.by_epoch:
            length, unit = runner.max_epochs, "epochs"
        if steps is not None and steps < length:
            raise ConfigError(
                f"param_scheduler.{index}: {type(schedule).__name__} ends after {steps} {unit}, "
                f"but the training has {length}; remove total_steps, then it has their number"
            )


def num_leads(val_loop: Any) -> int | None:
    """Return the number of future steps of a validation sample: 0 for labels, None without one."""
    if val_loop is None:
        return None
    target = val_loop.dataloader.dataset[0]["data_samples"].get("frames")
    return 0 if target is None else len(target)
