"""Compare the weights and the state of the optimiser of all ranks."""

import hashlib
from collections import Counter

import torch
import torch.distributed as dist
from mmengine.runner import Runner
from torch import Tensor

from openstl_ext.engine.fully_shard import is_divided
from openstl_ext.engine.state import unwrap
from openstl_ext.errors import RankError


def check_agreement(runner: Runner) -> None:
    """Check that all ranks have the same weights, to the last bit; every rank calls it.

    Ranks start with equal weights and apply equal gradients. Weights that differ are those of no
    training: a rank computes wrongly, or code changes the weights of one rank only. Weights that
    are divided among the ranks are not compared, as each exists once.

    Raises:
        RankError: On every rank, with the ranks that differ from most and the first such tensor.
    """
    if not dist.is_initialized() or dist.get_world_size() == 1 or is_divided(runner.model):
        return
    own = digests(runner)
    ranks: list[dict[str, bytes]] = [{}] * dist.get_world_size()
    dist.all_gather_object(ranks, own)
    if message := difference(ranks):
        raise RankError(message)


def difference(ranks: list[dict[str, bytes]]) -> str:
    """Return a message about the ranks whose digests differ from those of most; empty if none."""
    keys = [tuple(sorted(each.items())) for each in ranks]
    counts = Counter(keys)
    common = max(counts, key=lambda key: (counts[key], -keys.index(key)))
    others = [rank for rank, key in enumerate(keys) if key != common]
    if not others:
        return ""
    base, other = dict(common), ranks[others[0]]
    first = next(name for name in [*base, *other] if base.get(name) != other.get(name))
    who = "rank " + " and rank ".join(map(str, others))
    differs = "differ" if len(others) > 1 else "differs"
    return (
        f"{who} {differs} from rank {keys.index(common)} in {first}, so nothing was saved; earlier "
        "checkpoints are intact: continue with --resume, on another machine if this happens again"
    )


def digests(runner: Runner) -> dict[str, bytes]:
    """Return a hash of each parameter and of each tensor of the optimiser's state."""
    found = {}
    states = runner.optim_wrapper.optimizer.state
    for name, parameter in unwrap(runner.model).named_parameters():
        found[name] = digest(parameter)
        for key, value in states.get(parameter, {}).items():
            if isinstance(value, Tensor):
                found[f"{name} ({key} of the optimiser)"] = digest(value)
    return found


def digest(tensor: Tensor) -> bytes:
    """Return a hash of the bytes of a tensor."""
    flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return hashlib.blake2b(flat.numpy().data, digest_size=16).digest()
