"""Names of scores: ``mse``, ``mse@3``, ``mse[t2m]`` and ``mse[t2m]@3``."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PATTERN = re.compile(r"(?P<metric>[^@\[\]\s]+)(\[(?P<part>[^@\[\]\s]+)\])?(@(?P<lead>[1-9]\d*))?")


@dataclass(frozen=True)
class ScoreName:
    """The parts of a score's name.

    Args:
        metric: Name of the metric.
        part: Label of a channel or name of a class; empty for all of them together.
        lead: Future step, counted from 1; None for all of them together.
    """

    metric: str
    part: str = ""
    lead: int | None = None

    @classmethod
    def parse(cls, name: str) -> "ScoreName | None":
        """Return the parts of a name; None if it is no name of a score."""
        found = PATTERN.fullmatch(name)
        if found is None:
            return None
        lead = found["lead"]
        return cls(found["metric"], found["part"] or "", int(lead) if lead else None)

    def __str__(self) -> str:
        part = f"[{self.part}]" if self.part else ""
        return f"{self.metric}{part}" + (f"@{self.lead}" if self.lead else "")


def metric_name(score: str) -> str:
    """Return the metric of a score, ``mse`` for ``mse[t2m]@3``."""
    name = ScoreName.parse(score)
    return score if name is None else name.metric


def is_part(label: str) -> bool:
    """Return whether a channel's label or a class can stand in brackets."""
    return bool(re.fullmatch(r"[^@\[\]\s]+", label))


def matching(patterns: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return the names that match a pattern, in the order of the patterns.

    Only ``*`` is special, unlike in ``fnmatch``, which reads ``[t2m]`` as a set of letters.
    """
    known = list(names)
    found = [
        name
        for pattern in patterns
        for name in known
        if re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name)
    ]
    return list(dict.fromkeys(found))


def alike(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names that a pattern may mean: those with a part or a lead only if it has one."""
    return [n for n in names if all(mark in pattern or mark not in n for mark in "[@")]
