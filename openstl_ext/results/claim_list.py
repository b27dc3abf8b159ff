"""Lists of published results as Markdown, CSV and JSON."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec

from openstl_ext.results.claim_cells import COLUMNS, cells, figure, numbered, remarks
from openstl_ext.results.claims import METRICS, Claim, Setting
from openstl_ext.results.markdown_text import aligned, code, escaped
from openstl_ext.results.published import PublishedRow, published_rows
from openstl_ext.results.table import Table
from openstl_ext.results.writers.csv import cell


def overview(claims: Sequence[Claim]) -> str:
    """Return the number of claims by data and kind of source."""
    kinds = sorted({claim.source_kind for claim in claims})
    counts = Counter((claim.dataset, claim.source_kind) for claim in claims)
    body = [
        [name, *(str(counts[name, kind] or "") for kind in kinds)]
        for name in sorted({claim.dataset for claim in claims})
    ]
    then = "Print them with a filter, as in `openstl-ext claims --dataset taxibj`."
    count = f"{len(claims)} published results."
    return "\n\n".join([count, aligned(["dataset", *kinds], body, texts=1), then]) + "\n"


def markdown(claims: Sequence[Claim], metrics: Sequence[str] = ()) -> str:
    """Write a section for each task."""
    ordered = sorted(claims, key=lambda c: (c.dataset, _task(c.setting), c.label.casefold()))
    groups = groupby(ordered, key=lambda claim: (claim.dataset, _task(claim.setting)))
    return "\n\n".join(_section(*task, list(group), metrics) for task, group in groups) + "\n"


def _section(dataset: str, task: str, claims: list[Claim], metrics: Sequence[str]) -> str:
    sources = numbered(claims)
    names = [name for name in metrics or METRICS if any(name in c.metrics for c in claims)]
    body = [
        [*map(escaped, cells(claim, sources)), *(figure(claim, name) for name in names)]
        for claim in claims
    ]
    heading = f"## {dataset}\n\n{task}. As printed, in no order of merit."
    meanings = [f"{name}: {METRICS[name]}" for name in names]
    notes = "\n".join(f"- {escaped(text)}" for text in [*meanings, *remarks(claims)])
    return "\n\n".join([heading, aligned([*COLUMNS, *map(escaped, names)], body, texts=3), notes])


def published_section(table: Table) -> list[str]:
    """Return the paragraphs on the published results of the methods of a table, as Markdown.

    Of other methods the number is stated, with the command that prints them.
    """
    everything = published_rows(table)
    names = {row.name.partition(" (")[0].casefold() for row in table.rows if not row.is_baseline}
    rows = [
        r
        for r in everything
        if r.row or not names.isdisjoint({r.claim.method.casefold(), r.claim.label.casefold()})
    ]
    if not everything:
        return []
    command = code(f"openstl-ext claims --dataset {everything[0].claim.dataset}")
    head = (
        "### Published\n\nFigures of others for these data, this horizon and this resolution, as "
        "printed: not measured here, in no order of merit."
    )
    others = len({r.claim.key for r in everything} - {r.claim.key for r in rows})
    rest = f"{others} results of other methods: {command}"
    if not rows:
        return [f"{head} {rest}."]
    columns = [name for name in table.metrics if any(name in r.scores for r in rows)]
    claims = list({r.claim.key: r.claim for r in rows}.values())
    sources = numbered(claims)
    notes = [*map(escaped, remarks(claims)), rest]
    if any(r.gaps for r in rows):
        notes.insert(0, "ours: the mean of our recipe minus the published figure")
    body = [_published_cells(row, columns, sources) for row in rows]
    titles = [*COLUMNS[:3], "our recipe", *COLUMNS[3:], *map(escaped, columns)]
    return [head, aligned(titles, body, texts=4), "\n".join(f"- {note}" for note in notes)]


def _published_cells(
    row: PublishedRow, columns: Sequence[str], sources: dict[str, int]
) -> list[str]:
    fixed = [escaped(text) for text in cells(row.claim, sources)]
    figures = [
        figure(row.claim, name) + (f" (ours {row.gaps[name]:+.2g})" if name in row.gaps else "")
        for name in columns
    ]
    recipe = code(row.row.config) if row.row else ""
    return [*fixed[:3], recipe, *fixed[3:], *map(escaped, figures)]


def _task(setting: Setting) -> str:
    """Describe inputs and outputs in a phrase."""
    known = [
        "?" if value is None else str(value)
        for value in (setting.frames_in, setting.frames_out, setting.channels)
    ]
    size = " x ".join(map(str, setting.resolution)) if setting.resolution else "unknown size"
    return f"{known[0]} -> {known[1]} frames of {known[2]} x {size}"


def as_csv(claims: Sequence[Claim], metrics: Sequence[str] = ()) -> str:
    """Write one line a claim; flags as in ``misprint of psnr: reason``."""
    names = [name for name in metrics or METRICS if any(name in c.metrics for c in claims)]
    rows = [{**msgspec.to_builtins(claim), **claim.metrics} for claim in claims]
    columns = ["dataset", "method", "variant", *Setting.__struct_fields__, "epochs", *names]
    columns += ["params", "flops", "year", "source_kind", "source", "lineage", "flags", "note"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for claim, row in zip(claims, rows, strict=True):
        row |= row.pop("setting")
        row["resolution"] = "x".join(map(str, row["resolution"])) if row["resolution"] else None
        row["flags"] = [str(flag) for flag in claim.flags]
        writer.writerow([cell(row.get(name)) for name in columns])
    return out.getvalue()


def as_json(claims: Sequence[Claim], metrics: Sequence[str] = ()) -> str:
    """Write a list of objects, one a line, as in the file of the package."""
    del metrics  # a claim is printed whole
    lines = (json.dumps(msgspec.to_builtins(claim), ensure_ascii=False) for claim in claims)
    return "[\n" + ",\n".join(lines) + "\n]\n"


FORMATS: dict[str, Callable[[Sequence[Claim], Sequence[str]], str]] = {
    "md": markdown,
    "csv": as_csv,
    "json": as_json,
}
