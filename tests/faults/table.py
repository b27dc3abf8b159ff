"""The page docs/reliability.md: one line of a table for each class of faults."""

from collections.abc import Mapping, Sequence

from tests.faults.row import Row

HEAD = """# Reliability

`make faults` injects the faults below and writes this page. *Injected* counts the faults;
*detected* those that were refused or reported, or had no effect; *recovered* those after which the
work went on from an intact state or with the right value; *lost* those after which work was lost, a
result was wrong without a word, or code was run. A fast share of each class runs in `make test`.

| class | injected | detected | recovered | lost | |
|---|--:|--:|--:|--:|---|
"""


def page(rows: Sequence[Row], seconds: Mapping[str, float]) -> str:
    """Return the page as Markdown.

    Args:
        rows: The rows, in the order of the table.
        seconds: Duration of each module.
    """
    lines = [line(row) for row in rows]
    total = [sum(getattr(row, key) for row in rows) for key in COUNTS]
    lines.append(f"| **all** | {' | '.join(f'**{n:,}**' for n in total)} | |")
    minutes = sum(seconds.values()) / 60
    return HEAD + "\n".join(lines) + f"\n\nDuration, summed over modules: {minutes:.0f} minutes.\n"


COUNTS = ("injected", "detected", "recovered", "lost")


def line(row: Row) -> str:
    counts = " | ".join(f"{getattr(row, key):,}" for key in COUNTS)
    return f"| {row.name} | {counts} | {row.note} |"
