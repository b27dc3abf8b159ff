"""Description of a dataset's channels."""

import pytest

from openstl_ext.errors import ConfigError
from openstl_ext.structures import Channel, Metainfo


def test_a_label_is_the_name_followed_by_the_level() -> None:
    """Two levels of one variable must have two names in a table."""
    channels = (Channel("t2m", "K"), Channel("z", "m2 s-2", 500), Channel("z", "m2 s-2", 850.5))
    assert Metainfo(name="weather", channels=channels).labels == ("t2m", "z500", "z850.5")


def test_channels_share_a_unit_or_have_none_together() -> None:
    """A mean of kelvins and metres would be shown in one of the two units."""
    kelvin, metre = Channel("t2m", "K"), Channel("z", "m")
    assert Metainfo(name="a", channels=(kelvin, Channel("sst", "K"))).unit == "K"
    assert Metainfo(name="a", channels=(kelvin, metre)).unit is None
    assert Metainfo(name="a", channels=()).unit == "1"


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (("t2m",), r"channels are Channel\(name, unit\), got 't2m'"),
        ((Channel("2 m temperature"),), "must be one word"),
        ((Channel("t[2]"),), "must be one word"),
        ((Channel("a"), Channel("a")), "called alike"),
        ((Channel("z", level=5), Channel("z5")), "called alike"),
    ],
)
def test_channels_that_a_score_cannot_name_are_rejected(channels: tuple, message: str) -> None:
    """Their scores would overwrite each other, or could not be selected."""
    with pytest.raises(ConfigError, match=message):
        Metainfo(name="weather", channels=channels)
