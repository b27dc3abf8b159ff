"""Weights that lie in ours otherwise than in the reference, and the way there and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class WeightTransform(Protocol):
    """How one weight of ours is made of weights of the reference, gradients included."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The reference's keys that it is made of."""

    def split(self, ours: Tensor) -> dict[str, Tensor]:
        """Ours under the reference's keys."""

    def join(self, theirs: Mapping[str, Tensor]) -> Tensor:
        """The reference's as ours."""


@dataclass(frozen=True)
class Rename:
    """A weight that differs in its name alone.

    Args:
        key: Their key.
    """

    key: str

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key,)

    def split(self, ours: Tensor) -> dict[str, Tensor]:
        return {self.key: ours}

    def join(self, theirs: Mapping[str, Tensor]) -> Tensor:
        return theirs[self.key]


@dataclass(frozen=True)
class Concatenate:
    """Weights of several of the reference's layers that are one of ours, side by side.

    Args:
        widths: For each key of theirs, in the order they lie along the axis, its size along it.
        axis: 1 where their layers read different channels, 0 where they write different ones.
    """

    widths: Mapping[str, int]
    axis: int = 1

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.widths)

    def split(self, ours: Tensor) -> dict[str, Tensor]:
        parts = ours.split(list(self.widths.values()), dim=self.axis)
        return dict(zip(self.widths, parts, strict=True))

    def join(self, theirs: Mapping[str, Tensor]) -> Tensor:
        return torch.cat([theirs[key] for key in self.widths], dim=self.axis)


@dataclass(frozen=True)
class ReorderBlocks:
    """A weight of equal blocks along axis 0, such as gates, that follow in another order.

    Args:
        key: Their key.
        order: For each block of ours, the number of theirs.
    """

    key: str
    order: tuple[int, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key,)

    def split(self, ours: Tensor) -> dict[str, Tensor]:
        blocks = ours.chunk(len(self.order))
        return {self.key: torch.cat([blocks[self.order.index(i)] for i in range(len(blocks))])}

    def join(self, theirs: Mapping[str, Tensor]) -> Tensor:
        blocks = theirs[self.key].chunk(len(self.order))
        return torch.cat([blocks[i] for i in self.order])
