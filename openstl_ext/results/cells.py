"""Texts of table cells: scores, counts and speeds with sensible numbers of digits."""

import math

from openstl_ext.results.score import Score
from openstl_ext.results.table import Row, Table

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
