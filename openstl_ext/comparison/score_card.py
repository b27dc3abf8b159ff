"""Make a score card of a comparison."""

import math

from openstl_ext.comparison.compare import Comparison
from openstl_ext.comparison.paired import Difference
from openstl_ext.results.score_card import Cell, ScoreCard, Verdict
from openstl_ext.results.table import higher_is_better
from openstl_ext.score_name import ScoreName


def score_card_of(found: Comparison) -> ScoreCard:
    """Arrange the differences of a comparison by score and lead.

    Scores of single channels and classes have rows of their own.

    Args:
        found: Comparison of a row with a baseline.
    """
    cells: dict[tuple[str, int], Cell] = {}
    for difference in found.differences:
        name = difference.name
        row = str(ScoreName(name.metric, name.part))
        cells[row, name.lead or 0] = _cell(found, difference)
    metrics = tuple(dict.fromkeys(row for row, _ in cells))
    leads = sorted({lead for _, lead in cells})
    time, unit = found.table.protocol["metainfo"].get("lead") or (1, "frame")
    unit = "" if unit == "frame" else f" {unit}"
    columns = tuple("all" if lead == 0 else f"+{time * lead:g}{unit}" for lead in leads)
    blocks = "" if found.num_blocks == found.num_samples else f" in {found.num_blocks} blocks"
    return ScoreCard(
        title=" relative to ".join(found.labels),
        note=f"{found.num_samples} samples{blocks}; protocol "
        + str(found.table.protocol["fingerprint"])
        + ("; synthetic data" if found.table.synthetic else ""),
        metrics=metrics,
        columns=columns,
        cells=tuple(tuple(cells.get((row, lead)) for lead in leads) for row in metrics),
        left_out=tuple(found.left_out),
    )


def _cell(found: Comparison, difference: Difference) -> Cell:
    up = higher_is_better(found.table.about, difference.name.metric)
    verdicts: dict[str, Verdict] = {"A": "better", "B": "worse", "different": "different"}
    change = difference.difference / abs(difference.other) if difference.other else math.nan
    return Cell(
        change=change if math.isfinite(change) else None,
        sign=0 if up is None else 1 if up else -1,
        verdict=verdicts.get(found.verdict(difference), "tied"),
    )
