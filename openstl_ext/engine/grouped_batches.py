"""Batches whose samples are of one group, such as the pairs of two sensors."""

from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import cycle, islice
from typing import Any

from openstl_ext.errors import ConfigError


def groups_of(dataset: Any) -> Sequence[Hashable] | None:
    """Return the group of each sample that a dataset declares as ``groups``; None without groups.

    Raises:
        ConfigError: If there is not one for each sample.
    """
    groups: Sequence[Hashable] | None = getattr(dataset, "groups", None)
    if groups is not None and len(groups) != len(dataset):
        raise ConfigError(
            f"the dataset has {len(dataset)} samples, but groups has {len(groups)} entries; "
            "give one group for each sample, or None"
        )
    return groups


def count_batches(sizes: Counter[Hashable], *, batch_size: int, drop_last: bool) -> int:
    """Return the number of lists that ``grouped`` makes in every epoch.

    Args:
        sizes: Number of samples of each group.
        batch_size: Samples of a list.
        drop_last: Whether incomplete lists are omitted.

    Raises:
        ConfigError: If a group would be omitted as a whole.
    """
    if not drop_last:
        return sum(-(-size // batch_size) for size in sizes.values())
    for group, size in sizes.items():
        if size < batch_size:
            raise ConfigError(
                f"the group {group!r} has {size} samples, fewer than the {batch_size} of an "
                "iteration, and drop_last=True would omit all of them; set drop_last=False or "
                "reduce batch_size"
            )
    return sum(size // batch_size for size in sizes.values())


def grouped(
    order: Sequence[int], groups: Sequence[Hashable], *, batch_size: int, drop_last: bool
) -> list[list[int]]:
    """Divide the order of an epoch into lists of one group each.

    A list is placed where its last sample is in the order. Thus lists of different groups alternate
    as irregularly as the samples do, and the whole is a function of the order alone. The incomplete
    list of each group comes at the end, filled with the first samples of the group: a small batch
    would have the weight of a large one.

    Args:
        order: Each index once.
        groups: Group of each index.
        batch_size: Samples of a list.
        drop_last: Whether incomplete lists are omitted.
    """
    members: dict[Hashable, list[int]] = {}
    batches = []
    for index in order:
        own = members.setdefault(groups[index], [])
        own.append(index)
        if len(own) % batch_size == 0:
            batches.append(own[-batch_size:])
    for own in members.values():
        if (rest := len(own) % batch_size) and not drop_last:
            batches.append([*own[-rest:], *islice(cycle(own), batch_size - rest)])
    return batches
