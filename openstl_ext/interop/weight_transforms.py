"""Transforms between our weights and those of a reference, in both directions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class WeightTransform(Protocol):
    """Transform between one of our weights and weights of the reference, also for gradients."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the reference."""

    def split(self, ours: Tensor) -> dict[str, Tensor]:
        """Convert our weight to weights under the keys of the reference."""

    def join(self, theirs: Mapping[str, Tensor]) -> Tensor:
        """Convert the weights of the reference to our weight."""


@dataclass(frozen=True)
class Rename:
    """Weight with another name only.

    Args:
        key: Key of the reference.
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
    """Weights of several layers of the reference, concatenated to one of ours.

    Args:
        widths: Size along the axis of each key of the reference, in order.
        axis: 1 if their layers read different channels, 0 if they write different ones.
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
    """Weight of equal parts along axis 0, such as gates, in another order.

    Args:
        key: Key of the reference.
        order: For each of our parts, the index of theirs.
    """

    key: str
    order: tuple[int, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return (self.key,)

    def split(self, ours: Tensor) -> dict[str, Tensor]:
        parts = ours.chunk(len(self.order))
        return {self.key: torch.cat([parts[self.order.index(i)] for i in range(len(parts))])}

    def join(self, theirs: Mapping[str, Tensor]) -> Tensor:
        parts = theirs[self.key].chunk(len(self.order))
        return torch.cat([parts[i] for i in self.order])
