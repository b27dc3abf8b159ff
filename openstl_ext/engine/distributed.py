"""Start the processes of a run: gloo on CPUs, nccl on GPUs, threads divided among them."""

import atexit
import inspect
import os
import re
from collections.abc import Callable, Mapping, MutableMapping
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from mmengine.dist import broadcast
from torch import nn

from openstl_ext.engine.rank_watch import lost_ranks_named, start_watch, stop_watch
from openstl_ext.environment import number_in
from openstl_ext.errors import ConfigError, RankError, UserError, nearest

DDP = "MMDistributedDataParallel"
LAUNCHERS = ("none", "pytorch", "slurm")
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
RANK_TIMEOUT_SECONDS = 300
COLLECTIVE_TIMEOUT = timedelta(hours=12)
"""Limit of torch for a rank that waits; ``RankWatch`` ends a run whose ranks hang much earlier."""


def start(launcher: str, *, timeout_seconds: float = RANK_TIMEOUT_SECONDS) -> None:
    """Join the process group of the launcher; without a launcher do nothing.

    mmengine's own ``init_dist`` calls ``torch.cuda.set_device`` for every backend.

    Args:
        launcher: ``none``, ``pytorch`` (torchrun) or ``slurm``.
        timeout_seconds: Time without progress after which a rank hangs and the run ends; also
            the time to wait for all ranks at the start.

    Raises:
        ConfigError: If the launcher is unknown, has not set its variables, or has started more
            processes than there are GPUs.
        RankError: If not all ranks have started within the time.
    """
    if launcher not in LAUNCHERS:
        raise ConfigError(f"launcher {launcher!r} is unknown; {nearest(launcher, LAUNCHERS)}")
    if launcher == "none" or dist.is_initialized():
        return
    if launcher == "slurm":
        os.environ.update(variables_from_slurm(os.environ))
    if missing := [name for name in VARIABLES if name not in os.environ]:
        raise ConfigError(
            f"launcher='pytorch' needs {', '.join(missing)} in the environment: start the run "
            "with tools/dist_train.sh or torchrun, or use launcher='none'"
        )
    place = place_of_process(os.environ)
    local_rank = place["LOCAL_RANK"]
    if torch.cuda.is_available():
        if local_rank >= torch.cuda.device_count():
            raise ConfigError(
                f"process {local_rank} of this machine has no GPU, as it has "
                f"{torch.cuda.device_count()}; start at most as many processes"
            )
        torch.cuda.set_device(local_rank)
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    share_threads(os.environ)
    rank, world_size = place["RANK"], place["WORLD_SIZE"]
    address, port = os.environ["MASTER_ADDR"], place["MASTER_PORT"]
    limit = timedelta(seconds=timeout_seconds)
    try:
        store, _, _ = next(dist.rendezvous("env://", rank, world_size, timeout=limit))
        own_store = dist.TCPStore(
            address, port, is_master=False, wait_for_workers=False, timeout=limit
        )
        start_watch(own_store, rank=rank, world_size=world_size, limit_seconds=timeout_seconds)
    except RuntimeError as error:
        raise RankError(
            f"not all of {world_size} processes have reached {address}:{port} within "
            f"{timeout_seconds:g} s ({str(error).partition(chr(10))[0]}); start all of them, or "
            "set MASTER_ADDR and MASTER_PORT to an address and a free port that all can reach"
        ) from None
    atexit.register(stop)
    with lost_ranks_named():
        dist.init_process_group(
            backend,
            store=dist.PrefixStore("group", store),
            rank=rank,
            world_size=world_size,
            timeout=COLLECTIVE_TIMEOUT,
        )


def rank_timeout(cfg: Mapping[str, Any]) -> float:
    """Return the limit of a config for a rank without progress, in seconds.

    Raises:
        ConfigError: If it is not positive.
    """
    group = (cfg.get("env_cfg") or {}).get("dist_cfg") or {}
    seconds = group.get("timeout", RANK_TIMEOUT_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise ConfigError(
            f"env_cfg.dist_cfg.timeout={seconds!r} must be a positive number of seconds"
        )
    return float(seconds)


def place_of_process(environ: Mapping[str, str]) -> dict[str, int]:
    """Return the numbers that the launcher has set, as in ``{"RANK": 1, "WORLD_SIZE": 2, ...}``.

    Raises:
        ConfigError: If one is not a whole number, or out of range.
    """
    world_size = number_in(environ, "WORLD_SIZE", low=1)
    return {
        "WORLD_SIZE": world_size,
        "RANK": number_in(environ, "RANK", high=world_size - 1),
        "LOCAL_RANK": number_in(environ, "LOCAL_RANK", high=world_size - 1),
        "MASTER_PORT": number_in(environ, "MASTER_PORT", low=1, high=65535),
    }


def stop() -> None:
    """Leave the process group, if one exists."""
    stop_watch()
    if dist.is_initialized():
        dist.destroy_process_group()


def variables_from_slurm(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of torchrun, from those that ``srun`` sets for every task.

    Raises:
        ConfigError: If ``srun`` did not start this process.
    """
    try:
        nodes = environ.get("SLURM_STEP_NODELIST") or environ["SLURM_JOB_NODELIST"]
        variables = {
            "RANK": environ["SLURM_PROCID"],
            "WORLD_SIZE": environ["SLURM_NTASKS"],
            "LOCAL_RANK": environ["SLURM_LOCALID"],
            "LOCAL_WORLD_SIZE": environ.get("SLURM_NTASKS_PER_NODE", "1"),
        }
    except KeyError as error:
        raise ConfigError(
            f"launcher='slurm' needs {error} in the environment: start the run with "
            "tools/slurm_train.sh or srun"
        ) from None
    # by job id, so that two jobs on one node have different ports
    port = 20000 + number_in(environ, "SLURM_JOB_ID", default=0) % 20000
    variables["MASTER_ADDR"] = environ.get("MASTER_ADDR") or first_node(nodes)
    variables["MASTER_PORT"] = environ.get("MASTER_PORT") or str(port)
    return variables


def first_node(nodes: str) -> str:
    """Return the first host of a Slurm list, such as ``gpu03`` of ``gpu[03-05,07],cpu1``."""
    match = re.match(r"([^,\[]*)(?:\[(\d+))?", nodes)
    return "".join(part or "" for part in match.groups()) if match else nodes


def share_threads(environ: MutableMapping[str, str]) -> None:
    """Set the threads of each process to its share of the cores, unless the user has set them.

    torchrun sets OMP_NUM_THREADS=1 if it is not set, which leaves most cores idle; under torchrun
    a 1 is therefore read as not set.
    """
    given = environ.get("OMP_NUM_THREADS")
    if given is None or (given == "1" and "TORCHELASTIC_RUN_ID" in environ):
        torch.set_num_threads(fair_share(environ))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        environ.setdefault(
            name, str(torch.get_num_threads())
        )  # otherwise mmengine sets 1 and warns


def fair_share(environ: Mapping[str, str]) -> int:
    """Return the number of cores per process of this machine, at least one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // number_in(environ, "LOCAL_WORLD_SIZE", default=1, low=1))


def wrapper(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of the wrapper that averages gradients over ranks, for this device.

    Args:
        options: Arguments from the config, such as ``find_unused_parameters``; those of another
            wrapper than DDP are complete.
    """
    if options.get("type", DDP) != DDP:
        return dict(options)
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else None
    known = inspect.signature(nn.parallel.DistributedDataParallel).parameters
    # its name before torch 2.13
    sync = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    default = {
        "type": DDP,
        "device_ids": devices,
        sync: False,  # see share_buffers
    }
    return {**default, **options}


def share_buffers(method: nn.Module) -> None:
    """Copy the buffers of rank 0 to every rank, such as running statistics of batch norm.

    Ranks see different batches, so their statistics differ; in training, weights do not depend on
    them. Called before each evaluation and each checkpoint. The buffers of rank 0 are used, not the
    mean: they do not change here, so the number of saves has no influence on the training.
    """
    if dist.is_initialized() and dist.get_world_size() > 1:
        for buffer in method.buffers():
            broadcast(buffer.data, src=0)


def on_first_rank(function: Callable[[], object]) -> None:
    """Call a function on rank 0 only; a mistake that it finds is raised on every rank."""
    error: Exception | None = None
    if not dist.is_initialized() or dist.get_rank() == 0:
        try:
            function()
        except (UserError, OSError) as caught:
            error = caught
    agree_on_error(error)


def agree_on_error(error: Exception | None) -> None:
    """Raise the error of rank 0 on every rank, so that none waits for it."""
    if dist.is_initialized() and dist.get_world_size() > 1:
        outcome = [error]
        dist.broadcast_object_list(outcome, src=0)
        error = outcome[0]
    if error is not None:
        raise error
