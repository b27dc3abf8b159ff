"""Compare a resumable checkpoint with the run that shall continue it, before any part is loaded.

Fused kernels of optimisers do not check the shapes of their state, so a wrong one would be written
beyond its memory.
"""

import copy
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from reprlib import repr as short
from typing import Annotated, Any

import msgspec
import torch
from mmengine.hooks import EarlyStoppingHook, EMAHook
from mmengine.runner import Runner
from torch import Tensor, nn

from openstl_ext.engine.finite import non_finite
from openstl_ext.engine.fully_shard import laid_out
from openstl_ext.errors import CheckpointError

Count = Annotated[int, msgspec.Meta(ge=0)]
Scalar = bool | int | float | str | None
Plain = Scalar | list[Scalar | list] | dict[str, Scalar | list | dict]

CHANGING = ("last_step", "_global_step", "_last_value", "best", "num_bad_epochs")
"""Values of a schedule that change in training; the others follow from the config."""
SCHEDULED = ("lr", "momentum", "betas", "weight_decay")
"""Options of optimisers that schedules and hooks change; the others follow from the config."""
SHARES = ("betas", "momentum", "alpha", "rho", "dampening")
"""Options of optimisers that are between 0 and 1."""


class Stored:
    """Mark of a tensor; msgspec would take a tensor for a mapping."""


class TrainingPart(msgspec.Struct):
    """Time of a training on devices of one kind."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]
    devices: Annotated[int, msgspec.Meta(ge=1)]
    device: str


class Meta(msgspec.Struct):
    """Place and plan of a run; further values are not checked here."""

    epoch: Count
    iteration: Annotated[int, msgspec.Meta(ge=1)]
    plan: dict[str, Plain]
    test: dict[str, Plain] | None = None
    versions: dict[str, str] | None = None
    identity: str | None = None
    overrides: list[str] | None = None
    epoch_closed: bool = False
    num_states: Count | None = None
    training_time: list[TrainingPart] | None = None
    best: dict[str, Plain] | None = None


class OptimizerState(msgspec.Struct):
    """State of an optimiser of torch."""

    state: dict[int, dict[str, Any]]
    param_groups: list[dict[str, Any]]


class StopperState(msgspec.Struct):
    """Counters of an EarlyStoppingHook."""

    wait_count: Count
    best_score: float


class SavedState(msgspec.Struct):
    """Parts of a resumable checkpoint; further parts belong to hooks."""

    meta: Meta
    state_dict: dict[str, Stored]
    optimizer: OptimizerState
    param_schedulers: list[dict[str, Any]]
    early_stopping: list[StopperState]
    ema_state_dict: dict[str, Stored] | None = None


def check_kinds(state: Mapping[str, Any], name: str) -> None:
    """Check that a checkpoint is resumable and that each part is of its kind.

    Raises:
        CheckpointError: With the part.
    """
    if "optimizer" not in state or "meta" not in state:
        raise CheckpointError(
            f"{name} contains weights only, so it cannot be resumed; use load_from to start a new "
            "run with them"
        )
    parts = {key: marked(value) for key, value in state.items() if isinstance(key, str)}
    try:
        msgspec.convert(parts, SavedState)
    except msgspec.ValidationError as error:
        reason = str(error).replace("`$.", "`").replace("`Stored`", "a tensor")
        raise damaged(name, reason) from None


def marked(part: Any, depth: int = 4) -> Any:
    """Return a part with a mark for each tensor, down to the depth of the schema."""
    if isinstance(part, Tensor):
        return Stored()
    if depth and isinstance(part, dict):
        return {key: marked(value, depth - 1) for key, value in part.items()}
    if depth and isinstance(part, (list, tuple)):
        return [marked(value, depth - 1) for value in part]
    return part


def damaged(name: str, reason: str) -> CheckpointError:
    """Return the error about a part of a checkpoint."""
    return CheckpointError(
        f"cannot resume from {name}: {reason}; the file is damaged or of another run, so resume "
        "from another checkpoint"
    )


def check_fits(runner: Runner, state: dict[str, Any], name: str, schedules: list[Any]) -> None:
    """Check that each part of a checkpoint fits the run, and replace the optimiser's tensors.

    The tensors are copied to memory of their own in the layout of the parameters: those of a file
    may share memory, or repeat one value without having memory for each element.

    Args:
        runner: The run.
        state: Content of the checkpoint.
        name: Name of the checkpoint, for messages.
        schedules: Unused schedules, as the run had them that saved the checkpoint.

    Raises:
        CheckpointError: With the first part that does not fit.
    """
    problems = _problems(runner, state, schedules)
    if (problem := next(problems, None)) is not None:
        raise damaged(name, problem)
    parts = ("state_dict", "ema_state_dict", "optimizer", "param_schedulers")
    bad = non_finite({part: state.get(part) for part in parts}, parameter_names(runner))
    if bad:
        raise damaged(name, f"{', '.join(bad[:3])} is not finite")
    optimizer = runner.optim_wrapper.optimizer
    state["optimizer"] = {
        **state["optimizer"],
        "state": _own_memory(optimizer, state["optimizer"]["state"]),
        "param_groups": [
            {key: theirs.get(key, value) for key, value in own.items()}
            for own, theirs in zip(
                optimizer.state_dict()["param_groups"],
                state["optimizer"]["param_groups"],
                strict=True,
            )
        ],
    }


def _problems(runner: Runner, state: dict[str, Any], schedules: list[Any]) -> Iterator[str]:
    """Yield what does not fit; each check relies on those before it."""
    model = runner.model.module if hasattr(runner.model, "module") else runner.model
    yield from _of_place(runner, state["meta"])
    yield from differences(model.state_dict(), state["state_dict"], "state_dict")
    yield from _of_averages(runner, state.get("ema_state_dict"))
    yield from _of_groups(runner.optim_wrapper.state_dict(), state["optimizer"])
    yield from _of_states(runner, state)
    yield from _of_schedules(schedules, state)
    stoppers = [hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook)]
    yield from _of_number("early_stopping", state["early_stopping"], stoppers)
    for index, saved in enumerate(state["early_stopping"]):
        if saved["wait_count"] > state["meta"]["iteration"]:
            yield f"early_stopping.{index}.wait_count is more than the iterations done"


def _of_place(runner: Runner, meta: dict[str, Any]) -> Iterator[str]:
    iteration, epoch = meta["iteration"], meta["epoch"]
    if iteration > runner.max_iters:
        yield f"meta.iteration is {iteration}, but the training has {runner.max_iters} iterations"
    expected = (iteration - 1) // len(runner.train_dataloader)
    if epoch != expected:
        yield f"meta.epoch is {epoch}, but iteration {iteration} is in epoch {expected} (from 0)"


def _of_averages(runner: Runner, saved: dict[str, Tensor] | None) -> Iterator[str]:
    hooks = [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
    if bool(hooks) != (saved is not None):
        yield (
            "ema_state_dict is missing" if hooks else "ema_state_dict needs the EMAHook of its run"
        )
    for hook in hooks:
        yield from differences(hook.ema_model.state_dict(), saved, "ema_state_dict")


def _of_groups(own: dict[str, Any], saved: dict[str, Any]) -> Iterator[str]:
    """Compare the options of the optimiser; its numbers may be scheduled."""
    for key in own.keys() - {"state", "param_groups"}:
        yield from differences(own[key], saved.get(key), f"optimizer.{key}")
    place = "optimizer.param_groups"
    yield from _of_number(place, saved["param_groups"], own["param_groups"])
    for index, (mine, theirs) in enumerate(
        zip(own["param_groups"], saved["param_groups"], strict=True)
    ):
        for key, value in mine.items():
            where, is_flag = f"{place}.{index}.{key}", value is None or isinstance(value, bool)
            if key not in theirs and is_flag:  # an option of a later release of torch
                continue
            found = theirs.get(key)
            yield from differences(value, found, where)
            if key not in SCHEDULED and found != value:
                yield f"{where} is {short(found)}, expected {short(value)}"
            numbers = found if isinstance(found, (list, tuple)) else [found]
            limit = 1 if key in SHARES else math.inf
            if key != "params" and any(is_number(n) and not 0 <= n <= limit for n in numbers):
                yield f"{where} is {short(found)}, which is out of range"


def _of_states(runner: Runner, state: dict[str, Any]) -> Iterator[str]:
    """Compare the optimiser's tensors with those that a step on the same parameters makes."""
    optimizer, saved = runner.optim_wrapper.optimizer, state["optimizer"]["state"]
    expected = state_after_step(optimizer)
    number, names = state["meta"].get("num_states"), parameter_names(runner)
    if number is None and expected and not saved:
        yield "optimizer.state is empty"
    if number is not None and number != len(saved):
        yield f"optimizer.state has {len(saved)} entries, expected {number}"
    for index, found in saved.items():
        place = f"optimizer.state.{index}"
        if not 0 <= index < len(names):
            yield f"{place} belongs to no parameter; the optimiser has {len(names)}"
        elif index in expected:
            yield from differences(expected[index], found, f"{place} ({names[index]})")
        else:
            yield from _of_unknown(found, parameters(optimizer)[index], place)
        step, done = found.get("step", 1), state["meta"]["iteration"]
        if not 0 < float(step) <= done:
            yield f"{place}.step is {float(step):g}, expected 1 to {done}"


def _of_unknown(found: dict[str, Any], parameter: Tensor, place: str) -> Iterator[str]:
    """Compare state whose form is not known: the shape of the parameter, or one number."""
    for key, value in found.items():
        if isinstance(value, Tensor) and value.shape not in ((), parameter.shape):
            yield f"{place}.{key} is {described(value)}, its parameter is {described(parameter)}"


def _of_schedules(own: list[Any], state: dict[str, Any]) -> Iterator[str]:
    saved = state["param_schedulers"]
    yield from _of_number("param_schedulers", saved, own)
    meta = state["meta"]
    places = {True: meta["epoch"] + meta.get("epoch_closed", False), False: meta["iteration"]}
    for index, (schedule, theirs) in enumerate(zip(own, saved, strict=True)):
        name = f"param_schedulers.{index}"
        mine = {k: v for k, v in schedule.state_dict().items() if k in theirs or is_value(v)}
        yield from differences(mine, theirs, name)
        is_known = type(schedule).__module__.split(".")[0] in ("mmengine", "openstl_ext")
        if not is_known or getattr(type(schedule), "need_val_args", False):
            continue
        for key, value in mine.items():
            if key not in CHANGING and theirs[key] != value:
                yield f"{name}.{key} is {short(theirs[key])}, expected {short(value)}"
        done = places[schedule.by_epoch]
        steps = {
            "_global_step": done,
            "last_step": max(-1, min(done, mine["end"] - 1) - mine["begin"]),
        }
        for key, expected in steps.items():
            if theirs[key] != expected:
                yield f"{name}.{key} is {short(theirs[key])}, expected {expected}"


def _of_number(name: str, found: list[Any], expected: list[Any]) -> Iterator[str]:
    if len(found) != len(expected):
        yield f"{name} has {len(found)} entries, expected {len(expected)}"


def differences(own: Any, found: Any, place: str) -> Iterator[str]:
    """Yield where the structure of a saved value differs from that of the run's own.

    Numbers may differ in value, and a value that is still None in the run may be anything plain.
    Tensors agree in shape, type and layout.
    """
    if isinstance(own, Tensor):
        if not isinstance(found, Tensor) or _form(found) != _form(own):
            yield f"{place} is {described(found)}, expected {described(own)}"
    elif isinstance(own, Mapping):
        if not isinstance(found, Mapping):
            yield f"{place} is {described(found)}, expected a dict"
            return
        if missing := [key for key in own if key not in found]:
            yield f"{place} has no {short(missing[0])}"
        if unknown := [key for key in found if key not in own]:
            yield f"{place} has an unknown {short(unknown[0])}"
        for key in own:
            yield from differences(own[key], found[key], f"{place}.{key}")
    elif isinstance(own, (list, tuple)):
        if not isinstance(found, (list, tuple)) or len(found) != len(own):
            yield f"{place} is {described(found)}, expected {len(own)} values"
            return
        for index, (mine, theirs) in enumerate(zip(own, found, strict=True)):
            yield from differences(mine, theirs, f"{place}.{index}")
    elif not _same_kind(own, found):
        yield f"{place} is {described(found)}, expected a {type(own).__name__}"


def _form(tensor: Tensor) -> tuple[Any, ...]:
    is_stored = tensor.device.type != "meta" and not tensor.is_quantized
    return tensor.shape, tensor.dtype, tensor.layout, is_stored


def _same_kind(own: Any, found: Any) -> bool:
    if own is None:
        return is_value(found)
    return is_number(found) if is_number(own) else isinstance(found, type(own))


def is_number(value: Any) -> bool:
    """Return whether a value is a number, and no bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_value(value: Any) -> bool:
    """Return whether a value is a number, a text, None, or a list of such values."""
    if isinstance(value, (list, tuple)):
        return all(map(is_value, value))
    return value is None or isinstance(value, (bool, int, float, str))


def described(value: Any) -> str:
    """Return what a value is, for a message."""
    if isinstance(value, Tensor):
        return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    return f"{short(value)} ({type(value).__name__})"


def parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """Return all parameters of an optimiser, in the order of its state."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def parameter_names(runner: Runner) -> list[str]:
    """Return the names of the optimiser's parameters, in the order of its state."""
    model = runner.model.module if hasattr(runner.model, "module") else runner.model
    names = {id(p): name for name, p in model.named_parameters()}
    return [names.get(id(p), "?") for p in parameters(runner.optim_wrapper.optimizer)]


def state_after_step(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, Any]]:
    """Return the state of an optimiser of the same kind after a step on zeros, on the CPU.

    Returns:
        State by parameter; empty if the optimiser cannot make a step without the run.
    """
    twin = copy.copy(optimizer)
    twin.state = defaultdict(dict)
    options = {"fused": False, "foreach": False, "capturable": False}
    twin.param_groups = []
    for group in optimizer.param_groups:
        # not zeros_like: a parameter may be divided among processes
        zeros = [nn.Parameter(torch.zeros(p.shape, dtype=p.dtype)) for p in group["params"]]
        for zero in zeros:
            zero.grad = torch.zeros_like(zero)
        known = {key: value for key, value in options.items() if key in group}
        twin.param_groups.append({**group, **known, "params": zeros})
    try:
        twin.step()
    except Exception:  # it needs a closure, or state of its own constructor
        return optimizer.state_dict()["state"]
    return twin.state_dict()["state"]


def _own_memory(
    optimizer: torch.optim.Optimizer, saved: dict[int, dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Return the state with tensors in the layout of their parameters."""
    own = parameters(optimizer)

    def placed(value: Any, parameter: Tensor) -> Any:
        if not isinstance(value, Tensor):
            return value
        if value.shape != parameter.shape:
            return value.clone(memory_format=torch.contiguous_format)
        return laid_out(value, parameter)

    with torch.no_grad():
        return {
            index: {key: placed(value, own[index]) for key, value in found.items()}
            for index, found in saved.items()
        }
