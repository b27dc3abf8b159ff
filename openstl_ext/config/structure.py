"""Structure of the blocks of a config: which block is a dict, a list, a number or a text."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from openstl_ext.errors import shown
from openstl_ext.value_types import LISTS, PLAIN, Count, Index, Positive, type_problem

Part = dict[str, Any]


class Loader(Struct):
    """Arguments of a loader that have a range or no annotation in torch."""

    dataset: Part | UnsetType = UNSET
    batch_size: Count | UnsetType = UNSET
    num_workers: Annotated[int, Meta(ge=0, le=1024)] | UnsetType = UNSET
    sampler: Part | UnsetType | None = UNSET
    batch_sampler: Part | UnsetType | None = UNSET
    collate_fn: Part | UnsetType = UNSET
    worker_init_fn: Part | UnsetType = UNSET
    num_batch_per_epoch: Count | UnsetType | None = UNSET
    prefetch_factor: Count | UnsetType | None = UNSET
    timeout: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    drop_last: bool | UnsetType = UNSET
    pin_memory: bool | UnsetType = UNSET
    persistent_workers: bool | UnsetType = UNSET


class NormClipping(Struct, tag_field="type", tag="norm", forbid_unknown_fields=True):
    """Arguments of torch's ``clip_grad_norm_``."""

    max_norm: Positive
    norm_type: Positive | UnsetType = UNSET
    error_if_nonfinite: bool | UnsetType = UNSET
    foreach: bool | UnsetType | None = UNSET


class ValueClipping(Struct, tag_field="type", tag="value", forbid_unknown_fields=True):
    """Arguments of torch's ``clip_grad_value_``."""

    clip_value: Positive
    foreach: bool | UnsetType | None = UNSET


class Paramwise(Struct, forbid_unknown_fields=True):
    """Learning rate and weight decay of some parameters, as factors."""

    custom_keys: dict[str, dict[str, Any]] | UnsetType = UNSET
    bias_lr_mult: float | UnsetType | None = UNSET
    bias_decay_mult: float | UnsetType | None = UNSET
    norm_decay_mult: float | UnsetType | None = UNSET
    dwconv_decay_mult: float | UnsetType | None = UNSET
    dcn_offset_lr_mult: float | UnsetType | None = UNSET
    flat_decay_mult: float | UnsetType | None = UNSET
    bypass_duplicate: bool | UnsetType = UNSET
    layer_decay: Annotated[float, Meta(gt=0, le=1)] | UnsetType = UNSET


class Wrapper(Struct):
    """Arguments of an optimiser wrapper that have a range."""

    type: str | UnsetType = UNSET
    optimizer: Part | UnsetType = UNSET
    clip_grad: Part | UnsetType | None = UNSET
    accumulative_counts: Count | UnsetType = UNSET
    constructor: str | UnsetType = UNSET
    paramwise_cfg: Paramwise | UnsetType | None = UNSET


class Processes(Struct, forbid_unknown_fields=True):
    """Settings of worker processes."""

    mp_start_method: Literal["fork", "spawn", "forkserver"] | UnsetType = UNSET
    opencv_num_threads: Index | UnsetType = UNSET


class Environment(Struct):
    """Settings of processes and of cudnn."""

    cudnn_benchmark: bool | UnsetType = UNSET
    mp_cfg: Processes | UnsetType | None = UNSET
    dist_cfg: Part | UnsetType | None = UNSET
    resource_limit: Count | UnsetType = UNSET


class Randomness(Struct):
    """Determinism of a run."""

    seed: Index | UnsetType | None = UNSET
    deterministic: bool | UnsetType = UNSET
    diff_rank_seed: bool | UnsetType = UNSET


class Scaling(Struct, forbid_unknown_fields=True):
    """Scaling of the learning rate with the batch size."""

    enable: bool | UnsetType = UNSET
    base_batch_size: Count | UnsetType = UNSET


class Statistic(Struct):
    """Value of a log line."""

    data_src: str
    method_name: Literal["mean", "max", "min", "current"] | UnsetType = UNSET
    log_name: str | UnsetType = UNSET
    window_size: Count | str | UnsetType = UNSET


class LogProcessor(Struct):
    """Arguments of a log processor that mmengine does not check."""

    custom_cfg: list[Statistic] | UnsetType | None = UNSET


class Claims(Struct):
    """What a recipe was published as."""

    name: str | UnsetType = UNSET
    paper: str | UnsetType = UNSET
    code: str | UnsetType = UNSET
    claimed: dict[str, Any] | UnsetType = UNSET


CLIPPING = "optim_wrapper.clip_grad"
Evaluator = Annotated[list[Part], Meta(min_length=1)] | Part
KINDS: dict[str, Any] = {
    "model": Part,
    **dict.fromkeys(("train_dataloader", "val_dataloader", "test_dataloader"), Loader),
    **dict.fromkeys(("train_cfg", "val_cfg", "test_cfg"), Part),
    **dict.fromkeys(("val_evaluator", "test_evaluator"), Evaluator),
    "optim_wrapper": Wrapper,
    "param_scheduler": list[Part] | Part,
    "auto_scale_lr": Scaling,
    "default_hooks": dict[str, Part | None],
    "custom_hooks": list[Part],
    "visualizer": Part,
    "log_processor": LogProcessor,
    "log_level": str | int,
    "env_cfg": Environment,
    "randomness": Randomness,
    "model_wrapper_cfg": Part,
    "default_scope": str,
    "experiment_name": str,
    "launcher": Literal["none", "pytorch", "slurm"],
    "load_from": str,
    "resume": bool | str,
    "work_dir": str,
    "seed": Annotated[int, Meta(ge=0, le=2**32 - 1)],  # the range of NumPy's seeds
    "source": Claims,
    "identity": str,
    "overrides": list[str],
}


def wrong_blocks(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each block that has another structure than its kind, in plain values."""
    for name, hint in KINDS.items():
        if values.get(name) is not None:
            problem = type_problem(values[name], hint, name)
            if problem is not None:
                yield problem
    wrapper = values.get("optim_wrapper")
    clipping = wrapper.get("clip_grad") if isinstance(wrapper, Mapping) else None
    if isinstance(clipping, Mapping):
        kind = ValueClipping if clipping.get("type") == "value" else NormClipping
        problem = type_problem({"type": kind.__struct_config__.tag, **clipping}, kind, CLIPPING)
        if problem is not None:
            yield problem
    yield from _wrong_parts(values, "")


def _wrong_parts(value: Any, where: str) -> Iterator[str]:
    """Yield the dicts whose type is no name, or which choose a registry by ``_scope_``."""
    if isinstance(value, Mapping):
        if "_scope_" in value:
            yield f"{where}: _scope_ is not allowed; write the scope before the name of the type"
        kind = value.get("type", "")
        if not isinstance(kind, str) and isinstance(kind, (*PLAIN, *LISTS, dict)):
            yield f"{where}: expected the name of a registered class as type, got {shown(kind)}"
        for key, inner in value.items():
            yield from _wrong_parts(inner, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _wrong_parts(inner, f"{where}.{index}")


def schedules(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the parameter schedules with their dotted keys."""
    given = config.get("param_scheduler") or []
    if isinstance(given, Mapping):
        yield "param_scheduler", given
        return
    for index, schedule in enumerate(given):
        if isinstance(schedule, Mapping):
            yield f"param_scheduler.{index}", schedule
