"""A share of the hostile files, in every test run."""

from tests.faults import hostile_rasters, hostile_regions


def test_files_of_strangers_are_refused_or_read_rightly() -> None:
    """A file could read other files, fetch an address, or give a wrong map without a word."""
    for module in (hostile_rasters, hostile_regions):
        classes = ((name, members[::4]) for name, members in module.faults())
        for row in hostile_rasters.rows_of(classes):
            assert not row.lost, f"{row.name}: {row.note}"
