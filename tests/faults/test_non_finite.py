import tempfile

import pytest
import torch

from tests.faults.non_finite import ITERATIONS, PLACES, is_finite, outcome, plants, trained


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, torch.Tensor]:
    with tempfile.TemporaryDirectory() as folder:
        return trained(folder)


@pytest.mark.parametrize("place", PLACES)
def test_a_plant_is_detected_and_the_run_goes_on_without_it(
    place: str, undisturbed: dict[str, torch.Tensor]
) -> None:
    """The weights of every later checkpoint would be worthless."""
    assert outcome(place, float("inf"), ITERATIONS - 1, undisturbed) == (True, True)


def test_a_run_without_a_plant_is_not_detected(undisturbed: dict[str, torch.Tensor]) -> None:
    """A comparison that cannot fail would show nothing."""
    assert outcome("loss", 0.0, 99, undisturbed) == (False, False)
    assert not is_finite({"a": [torch.tensor([1.0, float("nan")])]})
    assert {place for place, _, _ in plants(20)} == set(PLACES)
