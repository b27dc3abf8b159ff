"""A share of the hostile files; ``make faults`` tries all of them."""

from tests.faults.hostile_files import rows


def test_no_hostile_file_is_read_and_none_runs_code_or_fills_the_memory() -> None:
    """A file of a stranger could harm the computer of the user."""
    found = list(rows(share=9))
    assert len(found) == 10
    assert {row.name: row.note for row in found if row.lost} == {}
