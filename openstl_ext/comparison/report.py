"""A comparison as Markdown, CSV or JSON."""

import csv
import io
import json
from collections.abc import Callable, Sequence

from openstl_ext.comparison.compare import LEVEL, Comparison
from openstl_ext.comparison.paired import Difference, least_p_value
from openstl_ext.results.markdown_text import aligned, code, escaped
from openstl_ext.results.protocol import plain
from openstl_ext.results.writers.csv import cell

MEANING = {"A": "A is better", "B": "B is better", "tied": "tied", "different": "different"}


def markdown(comparisons: Sequence[Comparison]) -> str:
    """Write a table per protocol."""
    return "\n\n".join(map(_section, comparisons)) + "\n"


def _section(found: Comparison) -> str:
    size = f"{found.num_samples} samples in {found.num_blocks} blocks"
    if found.independent:
        size = f"{found.num_samples} samples, taken as independent: the dataset names no blocks"
    seeds = [
        f" ({len(r.records)} runs)" if len(r.seeds) > 1 else "" for r in (found.one, found.other)
    ]
    ours, theirs = map(escaped, found.labels)
    lines = [
        f"## {escaped(found.table.name)}: A = {ours}{seeds[0]}, B = {theirs}{seeds[1]}",
        "",
        f"{size}. Protocol {code(found.table.protocol['fingerprint'])}.",
        "",
    ]
    head = ["score", "A", "B", "A - B", "95 % interval", "p", "p corrected", ""]
    body = [_cells(found, difference) for difference in found.differences]
    lines += [
        aligned(head, body, texts=len(head)),
        "",
        "- 95 % interval: paired bootstrap of whole blocks",
        "- p: paired permutation of whole blocks; corrected by Holm's method for all scores",
    ]
    if (least := least_p_value(found.num_blocks)) > LEVEL / 10:
        lines.append(f"- with {found.num_blocks} blocks no p can be below {least:.2g}")
    lines += [f"- not compared: {escaped(name)}, {why}" for name, why in found.left_out.items()]
    return "\n".join(lines)


def _cells(found: Comparison, difference: Difference) -> list[str]:
    low_high = difference.interval
    return [
        escaped(difference.name),
        f"{difference.one:.4g}",
        f"{difference.other:.4g}",
        f"{difference.difference:+.3g}",
        "" if low_high is None else f"{low_high[0]:+.3g} to {low_high[1]:+.3g}",
        f"{difference.p_value:.2g}",
        f"{difference.corrected:.2g}",
        MEANING[found.verdict(difference)],
    ]


def lines_of(found: Comparison) -> list[dict[str, object]]:
    """Return a comparison as one mapping per score."""
    return [
        {
            "protocol": found.table.protocol["fingerprint"],
            "score": str(d.name),
            "a": found.labels[0],
            "b": found.labels[1],
            "score_a": d.one,
            "score_b": d.other,
            "difference": d.difference,
            "low": d.interval[0] if d.interval else None,
            "high": d.interval[1] if d.interval else None,
            "p_value": d.p_value,
            "p_corrected": d.corrected,
            "verdict": found.verdict(d),
            "num_samples": found.num_samples,
            "num_blocks": found.num_blocks,
            "independent": found.independent,
        }
        for d in found.differences
    ]


def as_csv(comparisons: Sequence[Comparison]) -> str:
    """Write a line per score."""
    lines = [line for found in comparisons for line in lines_of(found)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(lines[0] if lines else [])
    writer.writerows(map(cell, line.values()) for line in lines)
    return text.getvalue()


def as_json(comparisons: Sequence[Comparison]) -> str:
    """Write an object per score."""
    lines = [line for found in comparisons for line in lines_of(found)]
    return json.dumps(plain(lines), indent=1, ensure_ascii=False) + "\n"


WRITERS: dict[str, Callable[[Sequence[Comparison]], str]] = {
    "md": markdown,
    "csv": as_csv,
    "json": as_json,
}
"""Writers by suffix."""
