"""Replay golden records: ``python -m tests.parity.replay FILE... [--strict]``.

Our code computes each quantity of a record again and compares it. A line contains the largest error
relative to the scale of the quantity, then ``ok`` or ``off``. A record that cannot be replayed is
one line with the reason.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from openstl_ext.interop import NoAdapterError
from tests.parity.quantity import TOLERANCE, Quantity

GOLDEN = Path(__file__).with_name("golden")

Record = Mapping[str, Any]
Outcome = Literal["ok", "off", "not built", "not replayed"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "off", "not built", "not replayed")


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
    (has("tensor_patchify", "reference"), "tests.parity.smarties_utils_record:replay"),
    (made_by("/mamba", "selective_scan"), "tests.parity.scan_records:replay_selective_scan"),
    (made_by("/spatio-temporal", "losses"), "tests.parity.hm_losses_record:replay"),
    (
        made_by("/spatio-temporal", "SpatioTemporalPredictor"),
        "tests.parity.human_modification_record:replay",
    ),
    (has("schedule_sampling", "args"), "tests.parity.sampling_record:replay"),
    (has("cells", "reference"), "tests.parity.cells_record:replay"),
    (has("groups", "what"), "tests.parity.sizes_record:replay"),
    (has("variants", "reference"), "tests.parity.variants_record:replay"),
    (has("noise", "band_projection_indices"), "tests.parity.smarties_mae_record:replay"),
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


def replay_file(path: Path) -> Outcome:
    """Print the quantities of a file, or in one line why it cannot be replayed."""
    found: list[Quantity] = []
    try:
        for quantity in quantities(json.loads(path.read_bytes())):
            found.append(quantity)
            print(f"{path.name}: {quantity.name}: {described(quantity)}")
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        print(f"{path.name}: not a record ({error})")
        return "not replayed"
    except NoAdapterError as error:
        print(f"{path.name}: not built ({error})")
        return "not built"
    except Exception as error:  # whatever a record lacks
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"{path.name}: not replayed after {len(found)} quantities ({reason})")
        return "not replayed"
    if not found:
        print(f"{path.name}: not replayed after 0 quantities (it has none)")
        return "not replayed"
    if any(q.error is not None and not q.error <= TOLERANCE for q in found):
        return "off"
    return "not built" if any(q.error is None for q in found) else "ok"


def described(quantity: Quantity) -> str:
    """Return the error of a quantity and whether it is ok; NaN is off."""
    if quantity.error is None:
        return "not built"
    return f"{quantity.error:.1e} {'ok' if quantity.error <= TOLERANCE else 'off'}"


def main(argv: list[str] | None = None) -> int:
    """Replay the files of a command line; return 1 if any is off or cannot be replayed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, default=sorted(GOLDEN.glob("*.json")))
    parser.add_argument("--strict", action="store_true", help="fail if a class is not built")
    args = parser.parse_args(argv)
    if missing := [str(path) for path in args.files if not path.is_file()]:
        parser.error(f"there is no {', '.join(missing)}")
    counts = dict.fromkeys(OUTCOMES, 0)
    for path in args.files:
        counts[replay_file(path)] += 1
    print("files: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    failed = counts["off"] + counts["not replayed"] + (counts["not built"] if args.strict else 0)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
