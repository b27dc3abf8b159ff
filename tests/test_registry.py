"""Names in configs become classes, or an error that helps."""

import pytest

from openstl_ext.errors import ConfigError
from openstl_ext.registry import LOSSES, METHODS, Registry


def test_an_unknown_type_proposes_the_nearest_names() -> None:
    """A typo costs a second, not a search through the source."""
    with pytest.raises(ConfigError, match="did you mean 'DirectForecast'"):
        METHODS.build({"type": "DirectForcast"})


def test_an_unknown_argument_names_the_class_and_the_nearest_argument() -> None:
    """A swallowed argument trains another model than the one that was meant."""
    with pytest.raises(ConfigError, match="Sum takes no 'term'; did you mean 'terms'"):
        LOSSES.build({"type": "Sum", "term": []})


def test_an_argument_of_an_earlier_version_is_answered_with_its_new_name() -> None:
    """A config of an earlier version would otherwise need a search through the changes."""
    cfg = {"type": "RecurrentForecast", "net": {}, "loss": {}, "feed": {"type": "FreeRunning"}}
    with pytest.raises(ConfigError, match="no 'feed'; its name is now 'teacher_forcing'"):
        METHODS.build(cfg)


def test_a_missing_argument_is_named() -> None:
    """Python's own message does not say which class of the config it is about."""
    with pytest.raises(ConfigError, match="Sum needs 'terms'"):
        LOSSES.build({"type": "Sum"})


def test_the_error_carries_the_part_of_the_config_that_is_wrong() -> None:
    """From it the engine says where in the file the mistake stands."""
    part = {"type": "L3"}
    with pytest.raises(ConfigError) as caught:
        LOSSES.build(part)
    assert caught.value.part == part


def test_a_finished_part_passes_through() -> None:
    """A script hands over objects where a config writes dicts."""
    finished = LOSSES.build({"type": "L1"})
    assert LOSSES.build(finished) is finished


def test_arguments_reach_through_open_doors_to_the_parent() -> None:
    """``**kwargs`` hands on to the parent, whose arguments are therefore allowed, and no others."""
    fruits = Registry("fruit")

    class Fruit:
        def __init__(self, colour: str = "red") -> None:
            self.colour = colour

    @fruits.register_module()
    class Apple(Fruit):
        def __init__(self, size: int, **kwargs: str) -> None:
            super().__init__(**kwargs)

    assert fruits.build({"type": "Apple", "size": 1, "colour": "green"}).colour == "green"
    with pytest.raises(ConfigError, match="'colour'"):
        fruits.build({"type": "Apple", "size": 1, "color": "green"})
