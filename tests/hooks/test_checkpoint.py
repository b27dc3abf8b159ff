"""When a run is saved, and which of its states is best."""

from types import SimpleNamespace

import pytest

from openstl_ext.errors import ConfigError
from openstl_ext.hooks.checkpoint import ExactCheckpointHook

LESS = SimpleNamespace(name="mse", higher_is_better=False)
GREATER = SimpleNamespace(name="psnr", higher_is_better=True)
NEITHER = SimpleNamespace(name="coverage", higher_is_better=None)


class FakeRun(SimpleNamespace):
    """What the hook asks of a run, and what it told it."""

    def __init__(self) -> None:
        super().__init__(is_training=True, train_dataloader=range(10), best=None, warned=[])
        self.logger = SimpleNamespace(warning=self.warned.append)

    def best_value(self, key: str) -> float | None:
        return self.best and self.best[1]

    def save_best(self, *, key: str, value: float) -> None:
        self.best = (key, value)


def checked(counts: int = 1, **arguments: object) -> ExactCheckpointHook:
    hook = ExactCheckpointHook(**arguments)
    hook.check(FakeRun(), [LESS, GREATER, NEITHER], counts)
    return hook


def due(hook: ExactCheckpointHook) -> list[int]:
    return [done for done in range(1, 41) if hook.due(done, 10)]


def test_saves_fall_on_updates_at_or_before_the_end_of_an_epoch() -> None:
    """A save in the middle of an accumulation would lose the gradients of half of it."""
    assert due(checked(interval=2)) == [20, 40]
    assert due(checked(counts=4)) == [8, 20, 28, 40]
    assert due(checked(interval=8, by_epoch=False, counts=4)) == [8, 16, 24, 32, 40]


def test_the_best_is_chosen_in_the_direction_of_the_metric() -> None:
    """With the wrong rule the worst weights would be kept, and published."""
    for key, scores, best in (("mse", (3.0, 1.0, 2.0), 1.0), ("psnr", (3.0, 9.0, 2.0), 9.0)):
        hook, run = checked(save_best=key), FakeRun()
        for score in scores:
            hook.after_val_epoch(run, {key: score})
        assert run.best == (key, best)


def test_a_score_that_is_no_number_is_never_the_best() -> None:
    """A NaN at the start would make every later score look no better."""
    hook, run = checked(), FakeRun()
    hook.after_val_epoch(run, {"mse": float("nan")})
    assert run.best is None
    assert "cannot be the best" in run.warned[0]
    hook.after_val_epoch(run, {"mse": 2.0})
    assert run.best == ("mse", 2.0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"save_best": "mes"}, "did you mean 'mse'"),
        ({"save_best": "mse", "rule": "greater"}, "best when less"),
        ({"rule": "lesser"}, "'less' or 'greater'"),
        ({"save_best": "coverage"}, "neither better nor worse"),
        ({"keep": 0}, "at least 1"),
    ],
)
def test_a_choice_that_cannot_work_is_an_error_before_the_run(arguments: dict, said: str) -> None:
    """Mmengine finds a wrong key after the first validation, and knows few directions."""
    with pytest.raises(ConfigError, match=said):
        checked(**arguments)


def test_a_lead_of_a_metric_can_choose() -> None:
    """Some care for the last frame only."""
    assert checked(save_best="mse@3").save_best == "mse@3"
    assert checked().save_best == "mse"
