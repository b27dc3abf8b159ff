"""Tallies of a test, kept beside its record: one row of numbers per sample and metric."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.lib.format import write_array
from numpy.typing import NDArray

from openstl_ext.atomic_io import atomic_file
from openstl_ext.results.record import RecordError

SCHEMA = 1
ABOUT, SAMPLES, BLOCKS = "about", "samples", "blocks"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Date of every member, so that the same tallies make the same bytes."""


class TalliesAbout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the tallies are of.

    Args:
        fingerprint: Protocol of the test.
        subject: Short checksums of the weights and of the test, as in ``Record.subject``.
        baseline: Name of the baseline that was measured; empty for the method.
        metrics: Names of the metrics.
        independent: Whether the dataset does not name blocks, so that each sample is one.
        schema: Version of the format.
    """

    fingerprint: str
    subject: tuple[str, str]
    baseline: str = ""
    metrics: list[str]
    independent: bool
    schema: int = SCHEMA


class KeptTallies:
    """Tallies of all test samples by metric, in the order of the dataset.

    Args:
        about: What they are of.
        samples: Ids of the samples.
        blocks: Block of each sample: those of one block depend on each other, as frames of a
            recording or neighbouring areas do.
        tallies: Arrays (N, S, ...) by name of the metric, as ``SampleMetric`` measures them.

    Files:
        ``tallies.npz``: text arrays ``samples`` (N,) and ``blocks`` (N,), and for each metric and
        position s of a tally an array ``<metric>.<s>`` of float32, (N, ...), or (1, ...) where it
        is equal in all samples; 0 is the total, 1 the weight. ``about`` is a text in JSON.
        ``numpy.load`` reads it without unpickling code. A rounding to float32 changes a score by
        less than one part in a million.
    """

    def __init__(
        self,
        about: TalliesAbout,
        samples: Sequence[str],
        blocks: Sequence[str],
        tallies: Mapping[str, NDArray[np.float64]],
    ) -> None:
        self.about = about
        self.samples, self.blocks = tuple(samples), tuple(blocks)
        self.tallies = tallies

    def write(self, path: Path) -> None:
        """Write the file atomically; equal tallies make equal bytes."""
        members: dict[str, NDArray[Any]] = {
            ABOUT: np.array(json.dumps(msgspec.to_builtins(self.about))),
            SAMPLES: np.array(self.samples, dtype=str),
            BLOCKS: np.array(self.blocks, dtype=str),
        }
        for name, tallies in self.tallies.items():
            for position in range(tallies.shape[1]):
                field = tallies[:, position]
                constant = len(field) > 0 and bool((field == field[:1]).all())
                with np.errstate(over="ignore"):  # beyond float32 it is infinite
                    kept = (field[:1] if constant else field).astype(np.float32)
                members[f"{name}.{position}"] = kept
        with atomic_file(path) as file, zipfile.ZipFile(file, "w") as archive:
            for name, array in members.items():
                member = zipfile.ZipInfo(f"{name}.npy", date_time=EPOCH)
                member.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(member, "w", force_zip64=True) as stream:
                    write_array(stream, array, allow_pickle=False)

    @classmethod
    def read(cls, path: Path, metrics: Sequence[str] | None = None) -> "KeptTallies":
        """Read a file, or some of its metrics.

        Raises:
            RecordError: If it is missing, damaged, of another schema or without one of the metrics.
        """
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                text = str(file[ABOUT])
                if (schema := json.loads(text).get("schema")) != SCHEMA:
                    raise RecordError(
                        f"{path}: schema is {schema}, this version reads {SCHEMA}; run the test "
                        "again, or update openstl_ext if the file is newer"
                    )
                about = msgspec.json.decode(text, type=TalliesAbout)
                samples = file[SAMPLES].tolist()
                wanted = about.metrics if metrics is None else metrics
                found = {name: _tallies(file, name, len(samples)) for name in wanted}
                return cls(about, samples, file[BLOCKS].tolist(), found)
        except FileNotFoundError:
            raise RecordError(
                f"{path} does not exist, so this test kept no tallies; run the test again"
            ) from None
        except KeyError as error:
            raise RecordError(f"{path} has no {error}; run the test again") from None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
            raise RecordError(f"{path} cannot be read: {error}; run the test again") from None


def _tallies(file: Any, name: str, size: int) -> NDArray[np.float64]:
    """Return the tallies (N, S, ...) of a metric, as float64."""
    fields, position = [], 0
    while f"{name}.{position}" in file:
        field = file[f"{name}.{position}"]
        fields.append(np.broadcast_to(field, (size, *field.shape[1:])))
        position += 1
    if not fields:
        raise KeyError(name)
    return np.stack(fields, axis=1).astype(np.float64)


def tallies_file(record: Path, baseline: str = "") -> Path:
    """Return the tallies beside a record: ``tallies.npz`` beside ``result.json``.

    Args:
        record: File of the record.
        baseline: Name of a baseline of the same test: ``tallies.Persistence.npz``.
    """
    stem = record.stem.removeprefix("result")
    name = f"tallies{stem}" if stem != record.stem else f"{stem}_tallies"
    return record.with_name(f"{name}.{baseline}.npz" if baseline else f"{name}.npz")
