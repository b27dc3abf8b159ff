"""Texts of published results that several formats share."""

from collections.abc import Iterable, Sequence

from openstl_ext.results.claims import Claim, shown_epochs

COLUMNS = ("method", "source", "flags", "year", "epochs", "params (M)", "FLOPs (G)")
"""Columns before the figures; the first three are texts."""


def numbered(claims: Iterable[Claim]) -> dict[str, int]:
    """Return a number for each source, in order."""
    sources = dict.fromkeys(claim.source for claim in claims)
    return {source: number for number, source in enumerate(sources, 1)}


def cells(claim: Claim, sources: dict[str, int]) -> list[str]:
    """Return the texts of ``COLUMNS``."""
    return [
        claim.label,
        f"{claim.source_kind} ({sources[claim.source]})",
        ", ".join(dict.fromkeys(flag.kind for flag in claim.flags if not flag.fields)),
        str(claim.year),
        shown_epochs(claim.epochs),
        figure(claim, "params"),
        figure(claim, "flops"),
    ]


def figure(claim: Claim, field: str) -> str:
    """Return a figure as printed, followed by the kinds of its flags; empty without one."""
    value = {"params": claim.params, "flops": claim.flops, **claim.metrics}.get(field)
    if value is None:
        return ""
    kinds = dict.fromkeys(flag.kind for flag in claim.flags_of(field))
    return f"{value:.7g} ({', '.join(kinds)})" if kinds else f"{value:.7g}"


def remarks(claims: Sequence[Claim]) -> list[str]:
    """Return the sources, then each flag, lineage and note with the rows that it is about."""
    sources = numbered(claims)
    found: dict[str, list[str]] = {}
    for claim in claims:
        texts = [str(flag) for flag in claim.flags]
        texts += [f"made by {claim.lineage}"] if claim.lineage else []
        texts += [claim.note] if claim.note else []
        for text in texts:
            row = f"{claim.label} ({sources[claim.source]}, {shown_epochs(claim.epochs)} epochs)"
            found.setdefault(text, []).append(row)
    listed = [f"({number}) {source}" for source, number in sources.items()]
    return [*listed, *(f"{text}: {', '.join(dict.fromkeys(rows))}" for text, rows in found.items())]
