"""Adapters between the state dict of a net and that of a class in another system."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from torch import Tensor, nn

from openstl_ext.errors import CheckpointError, UserError, nearest
from openstl_ext.interop.weight_transforms import Rename, WeightTransform

Kwargs = Mapping[str, Any]


class NoAdapterError(UserError):
    """There is no adapter for a class of another system, or for one of its variants."""


@dataclass(frozen=True)
class StateDictAdapter:
    """Our net for a class of another system, with the mapping of their weights.

    Args:
        net: Our net, with its initial weights.
        theirs: For each key of the net's state dict, the key of the reference, or a transform of
            several of its weights or of the parts of one.
        unused: Patterns (as for file names) of keys that the reference creates and never uses; our
            net does not have them.
        arguments: Arguments of our net, for a config that builds it.
    """

    net: nn.Module
    theirs: Mapping[str, str | WeightTransform]
    unused: tuple[str, ...] = ()
    arguments: Kwargs = field(default_factory=dict)

    @property
    def transforms(self) -> dict[str, WeightTransform]:
        """Transform of each of our keys."""
        return {
            ours: Rename(theirs) if isinstance(theirs, str) else theirs
            for ours, theirs in self.theirs.items()
        }

    @property
    def ours(self) -> dict[str, str]:
        """Our key for each used key of the reference."""
        return {key: ours for ours, transform in self.transforms.items() for key in transform.keys}

    def split(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Convert our weights or gradients to the names of the reference.

        Args:
            tensors: Tensors by our key; keys can be missing.
        """
        converted: dict[str, Tensor] = {}
        for ours, transform in self.transforms.items():
            if ours in tensors:
                converted |= transform.split(tensors[ours])
        return converted

    def is_unused(self, key: str) -> bool:
        """Return whether the reference creates a key and never uses it."""
        return any(fnmatchcase(key, pattern) for pattern in self.unused)

    def load(self, weights: Mapping[str, Tensor]) -> nn.Module:
        """Load all weights under the names of the reference into the net.

        Raises:
            CheckpointError: If keys are unknown, missing or have another shape; it names them.
        """
        own = self.split(self.net.state_dict())
        given = {key: value for key, value in weights.items() if not self.is_unused(key)}
        problems = {
            "unknown": sorted(given.keys() - own.keys()),
            "missing": sorted(own.keys() - given.keys()),
            "wrong shape": [
                f"{key} (expected {tuple(own[key].shape)}, got {tuple(value.shape)})"
                for key, value in sorted(given.items())
                if key in own and own[key].shape != value.shape
            ],
        }
        if errors := [f"{kind}: {', '.join(keys)}" for kind, keys in problems.items() if keys]:
            raise CheckpointError(
                f"the weights do not fit the {type(self.net).__name__} of these arguments; "
                f"{'; '.join(errors)}"
            )
        joined = {ours: transform.join(given) for ours, transform in self.transforms.items()}
        self.net.load_state_dict(joined, strict=True)
        return self.net


Build = Callable[[Kwargs], StateDictAdapter]
_TABLE: dict[tuple[str, str], Build] = {}


def register_adapter(cls: str, *sources: str) -> Callable[[Build], Build]:
    """Register a function that builds the adapter of a class.

    Args:
        cls: Name of the class in the other system.
        sources: Repositories of the class, such as ``chengtan9907/OpenSTL``.
    """

    def register(build: Build) -> Build:
        for source in sources:
            _TABLE[_short(source), cls] = build
        return build

    return register


def adapter_of(source: str, cls: str, kwargs: Kwargs) -> StateDictAdapter:
    """Build the adapter for a class of another system.

    Args:
        source: Repository, such as ``chengtan9907/OpenSTL``, or its last part in any case.
        cls: Name of the class there.
        kwargs: Arguments of its constructor, as spelled there. Missing ones take the defaults of
            the class; those that it ignores are ignored here too.

    Raises:
        NoAdapterError: If there is no adapter.
        UserError: If no net can be built from the arguments.
    """
    known = {name for where, name in _TABLE if where == _short(source)}
    if not known:
        sources = sorted({where for where, _ in _TABLE})
        raise NoAdapterError(f"there are no adapters for {source!r}; {nearest(source, sources)}")
    if cls not in known:
        raise NoAdapterError(f"{cls!r} of {source!r} has no adapter; {nearest(cls, known)}")
    return _TABLE[_short(source), cls](kwargs)


def load(source: str, cls: str, kwargs: Kwargs, state_dict: Mapping[str, Tensor]) -> nn.Module:
    """Build our net and load the weights of a reference strictly.

    Args:
        source: Repository, such as ``chengtan9907/OpenSTL``, or its last part in any case.
        cls: Name of the class there.
        kwargs: Arguments of its constructor, as spelled there.
        state_dict: Its weights under its own names. Keys that the reference never uses are dropped.

    Raises:
        NoAdapterError: If there is no adapter.
        CheckpointError: If keys are unknown, missing or have another shape; it names them.
    """
    return adapter_of(source, cls, kwargs).load(state_dict)


def _short(source: str) -> str:
    return source.rstrip("/").rsplit("/", maxsplit=1)[-1].lower()
