"""Replay golden records: ``python -m tests.parity.replay FILE... [--strict]``.

Our code computes each quantity of a record again and compares it. A line contains the largest error
relative to the scale of the quantity, then ``ok`` or ``off``.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from openstl_ext.interop import NoAdapterError
from tests.parity.quantity import TOLERANCE, Quantity

GOLDEN = Path(__file__).with_name("golden")

Record = Mapping[str, Any]


def made_by(source: str, cls: str) -> Callable[[Record], bool]:
    """Return a predicate for records of a repository whose class starts with a name."""

    def predicate(record: Record) -> bool:
        repo = record.get("reference", {}).get("repo", "")
        return repo.lower().endswith(source) and str(record.get("class")).startswith(cls)

    return predicate


def has(*fields: str) -> Callable[[Record], bool]:
    """Return a predicate for records with all of these fields."""
    return lambda record: all(field in record for field in fields)


# The first predicate that is true selects the function, which yields quantities of a record.
REPLAYERS: tuple[tuple[Callable[[Record], bool], str], ...] = (
    (made_by("/openstl", "metric "), "tests.parity.metrics_records:replay_openstl_metrics"),
    (
        made_by("/simvp_minimal", "calc_mse"),
        "tests.parity.metrics_records:replay_simvp_minimal_metrics",
    ),
    (made_by("/simvp_minimal", "apply_boiling"), "tests.parity.boiling_record:replay"),
    (made_by("/openstl", "reshape_patch"), "tests.parity.patch_record:replay"),
    (made_by("/mamba", "selective_scan"), "tests.parity.scan_records:replay_selective_scan"),
    (made_by("/spatio-temporal", "losses"), "tests.parity.hm_losses_record:replay"),
    (
        made_by("/spatio-temporal", "SpatioTemporalPredictor"),
        "tests.parity.human_modification_record:replay",
    ),
    (has("schedule_sampling", "args"), "tests.parity.sampling_record:replay"),
    (has("cells", "reference"), "tests.parity.cells_record:replay"),
    (has("variants", "reference"), "tests.parity.variants_record:replay"),
    (has("class", "kwargs", "keys", "output"), "tests.parity.network_record:replay"),
)


def quantities(record: Record) -> Iterator[Quantity]:
    """Yield every quantity of a record.

    Raises:
        NoAdapterError: If no function can replay the record.
    """
    for predicate, target in REPLAYERS:
        if predicate(record):
            module, _, function = target.partition(":")
            yield from getattr(importlib.import_module(module), function)(record)
            return
    raise NoAdapterError("no function can replay this record")


def replay_file(path: Path) -> bool | None:
    """Print the quantities of a file; return whether all are ok, or None if it is not built."""
    try:
        found = list(quantities(json.loads(path.read_bytes())))
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            print(f"{path.name}: not a record ({error})")
            return False
        raise
    except NoAdapterError as error:
        print(f"{path.name}: not built ({error})")
        return None
    for quantity in found:
        if quantity.error is None:
            print(f"{path.name}: {quantity.name}: not built")
            continue
        status = "ok" if quantity.error <= TOLERANCE else "off"  # NaN is off
        print(f"{path.name}: {quantity.name}: {quantity.error:.1e} {status}")
    errors = [q.error for q in found]
    if not errors or any(e is not None and not e <= TOLERANCE for e in errors):
        return False
    return None if None in errors else True


def main(argv: list[str] | None = None) -> int:
    """Replay the files of a command line; return 1 if any is off."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, default=sorted(GOLDEN.glob("*.json")))
    parser.add_argument("--strict", action="store_true", help="fail if a class is not built")
    args = parser.parse_args(argv)
    if missing := [str(path) for path in args.files if not path.is_file()]:
        parser.error(f"there is no {', '.join(missing)}")
    results = [replay_file(path) for path in args.files]
    counts = {result: results.count(result) for result in (True, False, None)}
    print(f"{counts[True]} files ok, {counts[False]} off, {counts[None]} not built")
    return int(counts[False] > 0 or (args.strict and counts[None] > 0))


if __name__ == "__main__":
    sys.exit(main())
