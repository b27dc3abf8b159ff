import re
from pathlib import Path

import pytest

from tests.faults.row import Row
from tests.faults.table import page


def test_the_page_has_a_line_for_each_class_and_one_of_the_sums() -> None:
    """A lost fault could be missing in the sum."""
    rows = [Row("kills", 1200, 1200, 1200, 0), Row("flips", 500, 499, 490, 1, "one in padding")]
    lines = page(rows, {"kills": 61.0, "flips": 59.0}).splitlines()
    assert "| kills | 1,200 | 1,200 | 1,200 | 0 |  |" in lines
    assert "| flips | 500 | 499 | 490 | 1 | one in padding |" in lines
    assert "| **all** | **1,700** | **1,699** | **1,690** | **1** | |" in lines
    assert lines[-1] == "Duration, summed over modules: 2 minutes."


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (3, 4, 0, 0), (3, 3, 3, -1)])
def test_counts_that_do_not_fit_are_an_error(counts: tuple[int, int, int, int]) -> None:
    """A row without a single fault would look like a class without losses."""
    with pytest.raises(ValueError, match="do not fit"):
        Row("kills", *counts)


def test_the_readme_states_the_sums_of_the_page() -> None:
    """The README would promise what another version did."""
    root = Path(__file__).parents[2]
    last = re.search(
        r"\| \*\*all\*\* \|(.*)\|", (root / "docs/reliability.md").read_text(encoding="utf-8")
    )
    assert last is not None
    injected, *_, lost = re.findall(r"\*\*([\d,]+)\*\*", last[1])
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert f"injects {injected} faults" in readme
    assert f"{lost} are lost" in readme
