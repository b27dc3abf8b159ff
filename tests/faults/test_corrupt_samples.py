"""A share of the damaged samples; ``make faults`` tries all of them."""

from tests.faults.corrupt_samples import rows


def test_damage_of_a_sample_is_found_or_has_no_effect() -> None:
    """Scores would be of other data, without a message."""
    found = list(rows(share=13))
    assert len(found) == 8
    assert {row.name: row for row in found if row.lost} == {}
