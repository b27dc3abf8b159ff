"""Texts of table cells: scores, counts and speeds with sensible numbers of digits."""

import math

from openstl_ext.results.row import Row
from openstl_ext.results.score import Score
from openstl_ext.results.table import Table

PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


def figure(score: Score) -> str:
    """Format a mean with the decimals that its deviation supports; 4 digits without one."""
    if score.mean is None:
        return "n/a"
    size = abs(score.mean)
    if size and not 1e-4 <= size < 1e7:
        spread = "" if score.std is None else f" {PLUS_MINUS} {score.std:.1e}"
        return f"{score.mean:.3e}{spread}"
    decimals = _decimals(size, digits=4)
    if score.std is None:
        return f"{score.mean:.{decimals}f}"
    # two digits of the deviation, and the same decimals for the mean
    decimals = max(0, min(_decimals(score.std, digits=2), 6)) if score.std else decimals
    return f"{score.mean:.{decimals}f} {PLUS_MINUS} {score.std:.{decimals}f}"


def _decimals(value: float, *, digits: int) -> int:
    """Return the number of decimals that show so many significant digits."""
    if not value:
        return digits - 1
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def amount(row: Row, field: str) -> str:
    """Format a count with a decimal prefix; several values if runs differ."""
    return " / ".join(with_prefix(value) for value in row.facts(field))


def flops(row: Row) -> str:
    """Format FLOPs as ``0.9 G + 0.8 G scan``; published tables leave out the latter."""
    parts = [f"{with_prefix(value)} {name}" for name, value in sorted(flops_apart(row).items())]
    return " + ".join([amount(row, "flops"), *parts])


def flops_apart(row: Row) -> dict[str, float]:
    """Return the FLOPs that are shown apart, by name."""
    return {name: value for part in row.facts("flops_apart") for name, value in part.items()}


def with_prefix(value: float) -> str:
    """Format a number with a decimal prefix, as in ``46.77 M``."""
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.2f} {prefix}"
    return f"{value:g}"


def speed(row: Row) -> str:
    """Format the mean frames per second of each device, batch size and data type."""
    groups: dict[str, list[float]] = {}
    for found in [] if row.is_baseline else [record.frames_per_second for record in row.records]:
        if found and found["value"] is not None:
            where = f"{found['device']}, batch {found['batch_size']}"
            where += "" if found["dtype"] == "float32" else f", {found['dtype']}"
            groups.setdefault(where, []).append(found["value"])
    means = {where: math.fsum(values) / len(values) for where, values in sorted(groups.items())}
    return " / ".join(f"{mean:.{0 if mean >= 100 else 1}f} ({w})" for w, mean in means.items())


def mean_latency(row: Row) -> tuple[float, str] | None:
    """Return the mean seconds of one forecast on the device of the first run, and the calls."""
    runs = () if row.is_baseline else row.records
    known = [run.latency for run in runs if run.latency]
    if not known:
        return None
    first = known[0]
    same = [k for k in known if (k["device"], k["dtype"]) == (first["device"], first["dtype"])]
    calls = "/".join(dict.fromkeys(str(k["calls"]) for k in same))
    return math.fsum(k["value"] for k in same) / len(same), f"median of {calls} calls"


def training_times(row: Row) -> list[tuple[float, str]]:
    """Return the mean seconds of the runs on the same devices, and these, as in ``1 x A100``."""
    groups: dict[str, list[float]] = {}
    for run in () if row.is_baseline else row.records:
        if run.training_time:
            where = " + ".join(
                f"{part['devices']} x {part['device']}" for part in run.training_time
            )
            seconds = math.fsum(part["seconds"] for part in run.training_time)
            groups.setdefault(where, []).append(seconds)
    return [(math.fsum(v) / len(v), where) for where, v in sorted(groups.items())]


def duration(seconds: float) -> str:
    """Format a time with two or three digits, as in ``2.1 h``."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * length:
            value = seconds / length
            return f"{value:.{0 if value >= 100 else 1}f} {unit}"
    return f"{seconds:.3g} s"


def task(table: Table) -> str:
    """Describe inputs and outputs in a sentence."""
    shapes, size = table.protocol["shapes"], table.protocol["size"]
    past, future = shapes.get("inputs.frames"), shapes.get("data_samples.frames")
    if not past or len(past) != 4:
        return f"{size} test samples."
    time, channels, height, width = past
    lead = table.protocol["metainfo"].get("lead") or (1, "frame")
    step = "" if list(lead) == [1, "frame"] else f", {lead[0]:g} {lead[1]} apart"
    frame = f"{channels} x {height} x {width}"
    if table.predicts_labels:
        classes = ", ".join(table.protocol["metainfo"].get("classes") or ())
        return f"{time} frames of {frame}{step} -> labels ({classes}); {size} test samples."
    if not future:
        return f"{size} test samples."
    return f"{time} -> {future[0]} frames of {frame}{step}; {size} test samples."
