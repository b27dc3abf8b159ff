"""Text of a description of data, for a terminal."""

import textwrap
from collections.abc import Collection, Sequence
from typing import Any


def text(found: dict[str, Any]) -> str:
    """Return a description for a terminal."""
    published = found["published"]
    mark = " (SYNTHETIC)" if found["synthetic"] else ""
    lines = [
        f"{found['root']}: {found['dataset']}{mark}",
        found["summary"],
        f"{size(found['bytes'])} in {found['files']:,} files",
    ]
    if found["also_read_by"]:
        lines.append(f"also read by {', '.join(found['also_read_by'])} (choose with --as)")
    names = list(dict.fromkeys([*found["splits"], *found["problems"], *published["samples"]]))
    rows = [("split", "samples", "published", "inputs", "targets")]
    for name in names:
        split = found["splits"].get(name)
        rows.append(
            (
                name,
                f"{split['num_samples']:,}" if split else "none",
                f"{published['samples'][name]:,}" if name in published["samples"] else "-",
                shapes(split["inputs"]) if split else "-",
                shapes(split["targets"]) if split else "-",
            )
        )
    lines += ["", *table(rows, right=(1, 2)), "shapes are frames x channels x height x width"]
    for name, why in found["problems"].items():
        lines += wrapped(f"{name} cannot be read: {why}")
    if published["shape"]:
        lines.append(f"published sample: {published['shape']}")
    if published["note"]:
        lines += wrapped(f"published: {published['note']}")
    heads = ("channel", "unit", "min", "max", "mean", "std", "missing")
    cells = [heads, *(value_row(value) for value in found["values"])]
    lines += ["", f"values as the dataset returns them, of {found['values_of']}:"]
    lines += table(cells, right=range(2, 7))
    if found["classes"]:
        shares = found["classes"].items()
        cells = [(name, f"{100 * share:.1f} %") for name, share in shares if share]
        lines += ["", "classes, share of all labels:", *table(cells, right=(1,))]
        if absent := [name for name, share in shares if not share]:
            lines += wrapped(f"not in these samples: {', '.join(absent)}")
    for title, key in (("units", "units"), ("splits", "rule_of_splits"), ("licence", "licence")):
        if found[key]:
            lines += ["", *wrapped(f"{title}: {found[key]}")]
    if "picture" in found:
        lines += ["", f"sample page: {found['picture']}"]
    return "\n".join(lines)


def value_row(value: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a channel."""
    numbers = [value[key] for key in ("low", "high", "mean", "std")]
    cells = ["-" if number is None else f"{number:.4g}" for number in numbers]
    missing = value["missing"]
    share = "0 %" if missing == 0 else f"{100 * missing:.2g} %"
    unit = "" if value["unit"] == "1" else value["unit"]
    return value["channel"], unit, *cells, share


def table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Return rows with aligned columns; the numbers in ``right`` are aligned to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def wrapped(words: str) -> list[str]:
    """Return a paragraph in lines."""
    lines = []
    for part in words.splitlines():
        indent = "    " if part.startswith("- ") else "  "
        lines += textwrap.wrap(
            part,
            100,
            initial_indent="  " if part.startswith("- ") else "",
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
    return lines


def shapes(found: list[tuple[int, ...]]) -> str:
    """Return shapes in words."""
    words = [" x ".join(map(str, shape)) or "one class" for shape in found]
    return words[0] if len(words) == 1 else f"{words[0]} to {words[-1]}" if words else "-"


def size(num_bytes: int) -> str:
    """Return a number of bytes in the unit in which it has few digits."""
    value, units = float(num_bytes), ("bytes", "kB", "MB", "GB", "TB")
    for unit in units:
        if value < 1000 or unit == units[-1]:
            break
        value /= 1000
    return f"{value:.3g} {unit}"
