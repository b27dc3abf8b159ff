"""Names of scores and patterns for them."""

import pytest

from openstl_ext.score_name import ScoreName, is_part, matching, metric_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("mse", ("mse", "", None)),
        ("mse@3", ("mse", "", 3)),
        ("mse[t2m]", ("mse", "t2m", None)),
        ("mse[z500]@12", ("mse", "z500", 12)),
        ("dice[site]", ("dice", "site", None)),
    ],
)
def test_a_name_has_three_parts(name: str, parts: tuple) -> None:
    """A score that is read under another name is shown in the wrong column."""
    found = ScoreName.parse(name)
    assert found == ScoreName(*parts)
    assert str(found) == name
    assert metric_name(name) == parts[0]


@pytest.mark.parametrize("name", ["", "mse@", "mse@0", "dice@site", "mse[]", "mse[a]b", "a b"])
def test_other_texts_are_not_names(name: str) -> None:
    """A misspelt name must not become a score."""
    assert ScoreName.parse(name) is None


def test_only_a_star_is_special_in_a_pattern() -> None:
    """As in fnmatch, mse[t2m] would match mset and mse2, but not the channel."""
    names = ["mse", "mse@1", "mse[t2m]", "mse[t2m]@1", "mset", "mae"]
    assert matching(["mse[t2m]"], names) == ["mse[t2m]"]
    assert matching(["mse[*]"], names) == ["mse[t2m]"]
    assert matching(["mae", "mse@*"], names) == ["mae", "mse@1"]
    assert matching(["*", "mae"], names) == names
    assert matching(["ms."], names) == []


def test_a_label_is_one_word_without_brackets() -> None:
    """Other labels could not be read back from a score name."""
    assert is_part("t2m")
    assert not any(map(is_part, ["", "a b", "a@b", "a[b", "a]b"]))
