"""What a test run found, as one JSON file."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, get_type_hints

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import UserError, nearest
from openstl_ext.results.protocol import Protocol, plain
from openstl_ext.results.schema import problems

SCHEMA = 1


class RecordError(UserError):
    """A result file is not what it should be; the message names the file and the field."""


class Speed(TypedDict):
    """Forecast frames or labelled samples per second, and under which conditions."""

    value: float | None
    device: str
    batch_size: int
    dtype: str


class Checkpoint(TypedDict):
    """Which weights were judged; what is not known is null."""

    file: str
    sha256: str | None
    epoch: int | None
    iteration: int | None


class Selection(TypedDict):
    """What the best checkpoint was chosen on: a split, and whether that is the test data."""

    split: str | None
    on_test: bool


@dataclass(frozen=True, kw_only=True)
class Record:
    """All that a table needs to know of a run: the only artefact that travels.

    Args:
        config: Identity of the config, its path below ``configs/``.
        name: Published name of the recipe.
        method: Class of the procedure.
        model: Class of the net.
        protocol: How the run was judged.
        metrics: What was found, as ``{"mse_sum": 35.1, "mse_sum@1": 21.0}``; null where a score
            has no value.
        about: Unit, direction and convention of each metric, and what else the metric says.
        num_parameters: Trainable and frozen weights of the net.
        flops: Multiply-adds of one forecast.
        flops_apart: Multiply-adds that the profile shows apart, by name, such as those of a scan.
        uncounted: Operators that ``flops`` leaves out.
        frames_per_second: Speed of the forecast; where the answer is labels, samples per second.
        checkpoint: Which weights were judged; null if they were those of the moment.
        seed: What chance depended on.
        overrides: What ``--cfg-options`` set; a run with any is a probe.
        source: Paper, code and *claimed* numbers.
        baselines: Scores of forecasts that cost nothing, under the same protocol.
        environment: Versions and machine.
        date: When, in UTC.
        synthetic: True if the data were made up.
        selection: What the best checkpoint was chosen on.
        schema: Version of this layout.
    """

    config: str
    name: str
    method: str
    model: str
    protocol: Protocol
    metrics: dict[str, float | None]
    about: dict[str, dict[str, Any]] = field(default_factory=dict)
    num_parameters: int | None = None
    flops: float | None = None
    flops_apart: dict[str, float] = field(default_factory=dict)
    uncounted: list[str] = field(default_factory=list)
    frames_per_second: Speed | None = None
    checkpoint: Checkpoint | None = None
    seed: int | None = None
    overrides: list[str] = field(default_factory=list)
    source: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, dict[str, float | None]] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    date: str = ""
    synthetic: bool = False
    selection: Selection | None = None
    schema: int = SCHEMA

    @property
    def claimed(self) -> dict[str, float]:
        """Published numbers of the recipe, by the names of our metrics."""
        claimed = self.source.get("claimed")
        numbers = claimed.items() if isinstance(claimed, Mapping) else ()
        return {k: v for k, v in numbers if isinstance(v, int | float)}

    def write(self, path: Path) -> None:
        """Replace a file by this record: a reader finds the old one or the new one.

        Raises:
            RecordError: If a field is not of its type, which a reader would refuse.
        """
        values = plain({f.name: getattr(self, f.name) for f in dataclasses.fields(self)})
        _check(values, path)
        text = json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False)
        atomic_write(Path(path), (text + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> "Record":
        """The record in a file.

        Raises:
            RecordError: If the file cannot be read or is no record; it names file and field.
        """
        try:
            values = json.loads(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            raise RecordError(f"{path}: {error}") from error
        _check(values, path)
        return cls(**values)


def _check(values: Any, path: Path) -> None:
    """Refuse what is no record of this version."""
    if not isinstance(values, dict):
        raise RecordError(f"{path}: a record is an object with fields, not {values!r:.40}")
    version = values.get("schema")
    if version != SCHEMA:
        raise RecordError(
            f"{path}: schema is {version!r}, this version reads {SCHEMA}; "
            "update openstl_ext, or test the run again"
        )
    hints = get_type_hints(Record)
    required = {f.name for f in dataclasses.fields(Record) if _has_no_default(f)}
    wrong = [f"{name} is missing" for name in sorted(required - set(values))]
    wrong += [f"unknown field {n!r}; {nearest(n, hints)}" for n in sorted(set(values) - set(hints))]
    for name in hints.keys() & values.keys():
        wrong += problems(values[name], hints[name], name)
    if wrong:
        raise RecordError(f"{path}: " + "; ".join(sorted(wrong)))


def _has_no_default(f: "dataclasses.Field[Any]") -> bool:
    return f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
