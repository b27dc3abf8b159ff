"""Published results beside the rows of a table: which recipe reproduces them, and the gap."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from openstl_ext.results.claims import Claim, comparable_metrics
from openstl_ext.results.row import Row
from openstl_ext.results.table import Table


@dataclass(frozen=True)
class PublishedRow:
    """A claim under the protocol of a table, with one recipe that reproduces it, if any.

    Args:
        claim: The published result.
        scores: Its figures in the columns of the table.
        row: Measured row of a recipe for this result; None without one.
        gaps: Our mean minus the published figure, by column; none for a misprinted figure.
    """

    claim: Claim
    scores: dict[str, float]
    row: Row | None
    gaps: dict[str, float]


def published_rows(table: Table) -> list[PublishedRow]:
    """Return the claims of a table by method, never by score; a claim once for each recipe."""
    comparable = comparable_metrics(table.protocol)
    columns = [name for name in table.metrics if name in comparable]
    shown = [claim for claim in table.claims if not claim.metrics.keys().isdisjoint(columns)]
    shown.sort(key=lambda c: (c.label.casefold(), c.epochs or 0, c.year, c.source))
    found = []
    for claim in shown:
        recipes = [row for row in table.rows if reproduces(row, claim, comparable)]
        found += [_row(claim, row, columns) for row in recipes or (None,)]
    return found


def _row(claim: Claim, row: Row | None, columns: Sequence[str]) -> PublishedRow:
    scores = {name: claim.metrics[name] for name in columns if name in claim.metrics}
    gaps = {}
    for name, figure in scores.items():
        mean = row.scores[name].mean if row else None
        if mean is not None and not claim.is_misprint(name):
            gaps[name] = mean - figure
    return PublishedRow(claim, scores, row, gaps)


def reproduces(row: Row, claim: Claim, comparable: Set[str]) -> bool:
    """Return whether a row is the recipe of a published result, as it is.

    It is where the config has figures of this method that are those of the claim. Figures of
    another training budget differ, so that the budget is the same.

    Args:
        row: A row of the table.
        claim: A published result.
        comparable: Metrics that ours computes by the same definition.
    """
    named = row.name.casefold().startswith(claim.method.casefold())
    if not named or row.kind != "run" or row.checkpoint or row.postprocessor:
        return False
    both = [m for m in comparable if m in claim.metrics and not claim.is_misprint(m)]
    figures = [(row.claimed[m], claim.metrics[m]) for m in both if m in row.claimed]
    return bool(figures) and all(ours == theirs for ours, theirs in figures)
