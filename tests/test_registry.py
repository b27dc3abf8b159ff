"""Look-up and construction of registered classes."""

import pytest
import torch
from mmengine import registry as mm

from openstl_ext.errors import ConfigError
from openstl_ext.registry import LOSSES, METHODS, METRICS, OPTIMIZERS, Registry


def test_an_unknown_type_proposes_the_nearest_names() -> None:
    """The user would have to search the source for the name."""
    with pytest.raises(ConfigError, match="did you mean 'DirectForecast'"):
        METHODS.build({"type": "DirectForcast"})


def test_an_unknown_argument_names_the_class_and_the_nearest_argument() -> None:
    """An ignored argument would train another model than the intended one."""
    with pytest.raises(ConfigError, match="Sum takes no 'term'; did you mean 'terms'"):
        LOSSES.build({"type": "Sum", "term": []})


def test_an_argument_of_an_earlier_version_proposes_its_new_name() -> None:
    """A config of an earlier version would otherwise need a search through the changes."""
    cfg = {"type": "RecurrentForecast", "net": {}, "loss": {}, "feed": {"type": "FreeRunning"}}
    with pytest.raises(ConfigError, match="no 'feed'; its name is now 'teacher_forcing'"):
        METHODS.build(cfg)


@pytest.mark.parametrize(
    "name", ["SSIM", "openstl_ext.SSIM", "DumpResults", "mmengine.DumpResults"]
)
def test_a_name_may_have_a_scope(name: str) -> None:
    """Parts of mmengine, or of a plugin with the same name, could not be chosen."""
    assert METRICS.get(name).__name__ == name.rpartition(".")[2]


@pytest.mark.parametrize(
    "path", ["torch.nn.Linear", "openstl_ext.losses.pixel.L1", "other.L1", "mmengine.L1"]
)
def test_an_import_path_is_not_a_name(path: str) -> None:
    """A config could import and run any module, and a typo would end in an ImportError."""
    with pytest.raises(ConfigError, match="is not a registered loss"):
        LOSSES.build({"type": path})
    with pytest.raises(ConfigError, match="is not a registered method"):
        METHODS.get(path)


@pytest.mark.parametrize("root", [mm.FUNCTIONS, mm.HOOKS, mm.DATASETS, mm.OPTIMIZERS])
@pytest.mark.parametrize("path", ["os.system", "subprocess.Popen", "torch.optim.Adam", "os"])
def test_mmengine_resolves_registered_names_only(root: mm.Registry, path: str) -> None:
    """A config could call any function, where mmengine looks it up without our registry."""
    with pytest.raises(ConfigError, match="is not a registered"):
        root.get(path)
    with pytest.raises(ConfigError, match="is not a registered"):
        root.build({"type": path, "command": "touch EXECUTED"})


def test_a_constructor_that_fails_is_a_mistake_in_the_config() -> None:
    """A wrong value would end in a traceback of a library."""
    weight = torch.nn.Parameter(torch.zeros(1))
    for root in (mm.OPTIMIZERS, OPTIMIZERS):
        with pytest.raises(ConfigError, match=r"Adam cannot be built .*ValueError: Invalid beta"):
            root.build({"type": "Adam", "params": [weight], "betas": (1.5, 0.9)})


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"type": "Sum", "terms": {"type": "L2"}}, "Sum.terms: expected list, got dict"),
        ({"type": "Pinball", "quantile": "0.5"}, "Pinball.quantile: expected float, got str"),
        ({"type": 3}, "the type of a loss is a registered name, not 3"),
    ],
)
def test_an_argument_of_another_type_is_named(part: dict, message: str) -> None:
    """A text would be compared with a number far inside of a class."""
    with pytest.raises(ConfigError, match=message):
        LOSSES.build(part)


def test_a_missing_argument_is_named() -> None:
    """The message would not name the class of the config."""
    with pytest.raises(ConfigError, match="Sum needs 'terms'"):
        LOSSES.build({"type": "Sum"})


def test_the_error_holds_the_wrong_part_of_the_config() -> None:
    """The engine could not locate the mistake in the config."""
    part = {"type": "L3"}
    with pytest.raises(ConfigError) as caught:
        LOSSES.build(part)
    assert caught.value.part == part


def test_a_built_part_is_returned_unchanged() -> None:
    """A script could not pass objects in place of configs."""
    built = LOSSES.build({"type": "L1"})
    assert LOSSES.build(built) is built


def test_keyword_arguments_are_checked_against_the_parent() -> None:
    """A class with ``**kwargs`` would accept any argument, or none of its parent."""
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
