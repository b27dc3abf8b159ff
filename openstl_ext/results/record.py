"""Record of a test run, one JSON file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import msgspec

from openstl_ext.atomic_io import atomic_write
from openstl_ext.errors import DataError, UserError
from openstl_ext.json_file import read_json
from openstl_ext.results.protocol import Protocol, digest, plain

SCHEMA = 2


class RecordError(UserError):
    """A result file cannot be read; the message names the file and the field."""


class Speed(TypedDict):
    """Forecast frames or labelled samples per second, and the conditions of the measurement."""

    value: float | None
    device: str
    batch_size: int
    dtype: str


class Latency(TypedDict):
    """Seconds of one prediction at batch size 1, median of a number of calls after the first."""

    value: float
    device: str
    dtype: str
    calls: int


class TrainingTime(TypedDict):
    """Seconds of a training on a number of devices of one kind."""

    seconds: float
    devices: int
    device: str


class JoinedPart(TypedDict):
    """Weights of one part of a method, and the checkpoint that they come from."""

    part: str
    file: str
    sha256: str | None


class Checkpoint(TypedDict):
    """Evaluated weights; unknown values are null.

    Where the parts of a method come from several checkpoints, as the members of an ensemble do,
    ``parts`` has each of them, and ``sha256`` is a checksum of all checksums.
    """

    file: str
    sha256: str | None
    epoch: int | None
    iteration: int | None
    parts: NotRequired[list[JoinedPart]]


class Selection(TypedDict):
    """Data that selected the best checkpoint: a split, and whether it is the test data."""

    split: str | None
    on_test: bool


def subject_of(
    checkpoint: Checkpoint | None,
    *,
    config: str,
    overrides: list[str],
    seed: int | None,
    fingerprint: str,
) -> tuple[str, str]:
    """Return short checksums of the evaluated weights, and of the data and options of the test."""
    sha256 = (checkpoint["sha256"] if checkpoint else None) or "unknown"
    return sha256[:8], digest([config, overrides, seed, fingerprint])[:8]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All facts of a run that tables need.

    Args:
        config: Identity of the config, its path below ``configs/``.
        name: Published name of the recipe.
        method: Class of the method.
        model: Class of the net.
        protocol: Data and metrics of the test.
        metrics: Scores, as ``{"mse_sum": 35.1, "mse_sum@1": 21.0}``; null where a score has no
            value.
        about: Unit, direction, convention and further facts of each metric.
        num_parameters: Trainable and frozen weights of the net.
        flops: Multiply-adds of one forecast.
        flops_apart: Multiply-adds that the profile shows apart, by name, such as those of a scan.
        uncounted: Operators that ``flops`` leaves out.
        frames_per_second: Speed of the forecast; for labels, samples per second.
        latency: Time of one forecast at batch size 1.
        peak_memory: Peak memory in bytes while the test set was forecast and scored, with the batch
            size of the test: of the process on a CPU, libraries included, of the allocator on a
            GPU. Null where it may be that of a training before the test.
        checkpoint: Evaluated weights; null if they are those of the moment.
        seed: Seed of the training.
        overrides: Values of ``--cfg-options`` of the training, and those by which the test differs
            from that of its config; a run with any is a probe.
        training: What decided the weights, by dotted key, and the values of the method that act in
            its forecasts; where nothing is trained, what decides the method. Null if the checkpoint
            does not state it, so that they may be of any training.
        training_time: Time that the evaluated weights took to train: loading of batches and
            training steps, without validations and saving, over all interruptions; iterations that
            were lost and repeated count once. Several parts if devices changed, and null if the
            checkpoint does not state it.
        source: Paper, code and *claimed* numbers.
        baselines: Scores of the baselines under the same protocol.
        baselines_left_out: Reason for each baseline that the data do not allow.
        postprocessed: Scores of the same forecasts after each postprocessor, by its name.
        environment: Versions and machine.
        date: Date in UTC.
        synthetic: True if the data are generated.
        selection: Data that selected the best checkpoint.
        schema: Version of this format.
    """

    config: str
    name: str
    method: str
    model: str
    protocol: Protocol
    metrics: dict[str, float | None]
    about: dict[str, dict[str, Any]] = {}
    num_parameters: int | None = None
    flops: float | None = None
    flops_apart: dict[str, float] = {}
    uncounted: list[str] = []
    frames_per_second: Speed | None = None
    latency: Latency | None = None
    peak_memory: int | None = None
    checkpoint: Checkpoint | None = None
    seed: int | None = None
    overrides: list[str] = []
    training: dict[str, Any] | None = None
    training_time: list[TrainingTime] | None = None
    source: dict[str, Any] = {}
    baselines: dict[str, dict[str, float | None]] = {}
    baselines_left_out: dict[str, str] = {}
    postprocessed: dict[str, dict[str, float | None]] = {}
    environment: dict[str, Any] = {}
    date: str = ""
    synthetic: bool = False
    selection: Selection | None = None
    schema: int = SCHEMA

    @property
    def claimed(self) -> dict[str, float]:
        """Published numbers of the recipe, by the names of our scores."""
        claimed = self.source.get("claimed")
        numbers = claimed.items() if isinstance(claimed, Mapping) else ()
        return {k: v for k, v in numbers if isinstance(v, int | float)}

    @property
    def sha256(self) -> str:
        """Checksum of the evaluated weights; empty if it is not known."""
        return (self.checkpoint["sha256"] if self.checkpoint else None) or ""

    @property
    def subject(self) -> tuple[str, str]:
        """Short checksums of the evaluated weights, and of the data and options of the test."""
        return subject_of(
            self.checkpoint,
            config=self.config,
            overrides=self.overrides,
            seed=self.seed,
            fingerprint=self.protocol["fingerprint"],
        )

    @property
    def comparable_training(self) -> dict[str, Any]:
        """What decided the weights, apart from the seed and numbers that machines round."""
        facts = self.training or {}
        return {k: v for k, v in facts.items() if k != "seed" and not k.endswith(".values")}

    @property
    def training_digest(self) -> str:
        """Hash of ``comparable_training``; empty if the training is not known."""
        return "" if self.training is None else digest(plain(self.comparable_training))

    def place(self, path: Path) -> Path:
        """Return a file beside records of other weights or tests, which are kept.

        Args:
            path: The file to write if it does not exist or is a record of the same subject.
        """
        try:
            same = not path.exists() or Record.read(path).subject == self.subject
        except RecordError:
            same = False
        return path if same else path.with_name(f"{path.stem}_{'_'.join(self.subject)}.json")

    def write(self, path: Path) -> None:
        """Write the file atomically.

        Raises:
            RecordError: If a field is not of its type, so that the file could not be read.
        """
        values = plain({name: getattr(self, name) for name in self.__struct_fields__})
        try:
            msgspec.convert(values, Record)
        except msgspec.ValidationError as error:
            raise RecordError(f"{path}: {error}") from error
        text = json.dumps(values, indent=1, allow_nan=False, ensure_ascii=False)
        atomic_write(Path(path), (text + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> "Record":
        """Read a file.

        Raises:
            RecordError: If the file cannot be read, or is not a record of this schema.
        """
        try:
            schema = read_json(path, _Version).schema
            if schema == SCHEMA:
                return read_json(path, cls)
        except DataError as error:
            raise RecordError(str(error)) from None
        raise RecordError(
            f"{path}: schema is {schema}, this version reads {SCHEMA}; run the test again, or "
            "update openstl_ext if the file is newer"
        )


class _Version(msgspec.Struct):
    """The field of a record that is read first."""

    schema: int
