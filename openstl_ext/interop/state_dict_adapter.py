"""Our counterpart of a class of another system, and its weights in ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from torch import Tensor, nn

from openstl_ext.errors import CheckpointError, UserError, nearest
from openstl_ext.interop.weight_transforms import Rename, WeightTransform

Kwargs = Mapping[str, Any]


class NoAdapterError(UserError):
    """A class of another system, or one of its variants, has no counterpart here."""


@dataclass(frozen=True)
class StateDictAdapter:
    """Our net for a class of another system.

    Args:
        net: Our net, with weights of its own.
        theirs: For each key of the net's state dict, the key of the reference, or how several of
            its weights, or the parts of one, are arranged in ours.
        unused: Patterns (as of file names) of keys that the reference makes and never uses; they
            have no place in our net.
        arguments: Arguments of our net, for a config that would build it.
    """

    net: nn.Module
    theirs: Mapping[str, str | WeightTransform]
    unused: tuple[str, ...] = ()
    arguments: Kwargs = field(default_factory=dict)

    @property
    def arranged(self) -> dict[str, WeightTransform]:
        """For each key of ours, how it is made."""
        return {
            ours: Rename(theirs) if isinstance(theirs, str) else theirs
            for ours, theirs in self.theirs.items()
        }

    @property
    def ours(self) -> dict[str, str]:
        """For each key of the reference that counts, ours."""
        return {key: ours for ours, made in self.arranged.items() for key in made.keys}

    def split(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors of ours, weights or gradients, under the reference's names.

        Args:
            tensors: By our key; what is absent stays absent.
        """
        found: dict[str, Tensor] = {}
        for ours, made in self.arranged.items():
            if ours in tensors:
                found |= made.split(tensors[ours])
        return found

    def is_unused(self, key: str) -> bool:
        """Whether the reference makes a key and never uses it."""
        return any(fnmatchcase(key, pattern) for pattern in self.unused)

    def load(self, weights: Mapping[str, Tensor]) -> nn.Module:
        """Fill the net with weights under the reference's names, all of them.

        Raises:
            CheckpointError: Naming the keys that are unknown, missing or of another shape.
        """
        own = self.split(self.net.state_dict())
        given = {key: value for key, value in weights.items() if not self.is_unused(key)}
        complaints = {
            "unknown": sorted(given.keys() - own.keys()),
            "missing": sorted(own.keys() - given.keys()),
            "of another shape": [
                f"{key} ({tuple(own[key].shape)} is needed, {tuple(value.shape)} given)"
                for key, value in sorted(given.items())
                if key in own and own[key].shape != value.shape
            ],
        }
        if said := [f"{what}: {', '.join(keys)}" for what, keys in complaints.items() if keys]:
            raise CheckpointError(
                f"these weights are not those of the {type(self.net).__name__} that the arguments "
                f"describe; {'; '.join(said)}"
            )
        joined = {ours: made.join(given) for ours, made in self.arranged.items()}
        self.net.load_state_dict(joined, strict=True)
        return self.net


Build = Callable[[Kwargs], StateDictAdapter]
_TABLE: dict[tuple[str, str], Build] = {}


def register_adapter(cls: str, *sources: str) -> Callable[[Build], Build]:
    """Register what builds our counterpart of a class.

    Args:
        cls: Name of the class in the other system.
        sources: Repositories that have it, such as ``chengtan9907/OpenSTL``.
    """

    def register(build: Build) -> Build:
        for source in sources:
            _TABLE[_short(source), cls] = build
        return build

    return register


def adapter_of(source: str, cls: str, kwargs: Kwargs) -> StateDictAdapter:
    """Our net for a class of another system, and which key is which.

    Args:
        source: Repository, such as ``chengtan9907/OpenSTL``, or its last part in any case.
        cls: Name of the class there.
        kwargs: Arguments of its constructor, as spelled there. Those left out have its defaults,
            those that it swallows unused are let go.

    Raises:
        NoAdapterError: If there is no counterpart.
        UserError: If the arguments make no net.
    """
    known = {name for where, name in _TABLE if where == _short(source)}
    if not known:
        sources = sorted({where for where, _ in _TABLE})
        raise NoAdapterError(f"nothing of {source!r} is built here; {nearest(source, sources)}")
    if cls not in known:
        raise NoAdapterError(f"{cls!r} of {source!r} is not built here; {nearest(cls, known)}")
    return _TABLE[_short(source), cls](kwargs)


def load(source: str, cls: str, kwargs: Kwargs, state_dict: Mapping[str, Tensor]) -> nn.Module:
    """Our net with the weights of a reference, strictly.

    Args:
        source: Repository, such as ``chengtan9907/OpenSTL``, or its last part in any case.
        cls: Name of the class there.
        kwargs: Arguments of its constructor, as spelled there.
        state_dict: Its weights under its own names. Keys that the reference never uses are dropped.

    Raises:
        NoAdapterError: If there is no counterpart.
        CheckpointError: Naming the keys that are unknown, missing or of another shape.
    """
    return adapter_of(source, cls, kwargs).load(state_dict)


def _short(source: str) -> str:
    return source.rstrip("/").rsplit("/", maxsplit=1)[-1].lower()
