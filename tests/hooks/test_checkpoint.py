"""Places of checkpoints, and the choice of the best weights."""

from types import SimpleNamespace

import pytest

from openstl_ext.errors import ConfigError
from openstl_ext.hooks.checkpoint import ExactCheckpointHook

LESS = SimpleNamespace(name="mse", higher_is_better=False)
GREATER = SimpleNamespace(name="psnr", higher_is_better=True)
NEITHER = SimpleNamespace(name="coverage", higher_is_better=None)


class FakeRun(SimpleNamespace):
    """Attributes of a run that the hook uses, and what it saved."""

    def __init__(self, **loop: int | None) -> None:
        super().__init__(is_training=True, train_dataloader=range(10), best=None, warned=[])
        self.train_loop = SimpleNamespace(**{"max_iterations": None, "val_interval": 1, **loop})
        self.logger = SimpleNamespace(warning=self.warned.append)

    def num_leads(self) -> int:
        return 10

    def best_value(self, key: str) -> float | None:
        return self.best and self.best[1]

    def save_best(self, *, key: str, value: float, rule: str) -> None:
        self.best = (key, value)


def checked(
    counts: int = 1, run: FakeRun | None = None, **arguments: object
) -> ExactCheckpointHook:
    hook = ExactCheckpointHook(**arguments)
    hook.check(run or FakeRun(), [LESS, GREATER, NEITHER], counts)
    return hook


def due(hook: ExactCheckpointHook) -> list[int]:
    return [done for done in range(1, 41) if hook.due(done, 10)]


def test_checkpoints_are_at_the_last_update_of_an_epoch() -> None:
    """A resumed run would lose the gradients of half an accumulation."""
    assert due(checked(interval=2)) == [20, 40]
    assert due(checked(counts=4)) == [8, 20, 28, 40]
    assert due(checked(interval=8, by_epoch=False, counts=4)) == [8, 16, 24, 32, 40]


def test_in_a_training_of_iterations_checkpoints_count_iterations() -> None:
    """A checkpoint would be saved at each iteration, or only after an epoch of a week."""
    run = FakeRun(max_iterations=40, val_interval=15)
    assert due(checked(run=run)) == [15, 30]
    assert due(checked(run=run, interval=20)) == [20, 40]
    assert due(checked(run=run, interval=2, by_epoch=True)) == [20, 40]
    with pytest.raises(ConfigError, match="every 15 iterations would cut an accumulation of 2"):
        checked(run=run, counts=2)


def test_an_accumulation_of_several_epochs_needs_an_interval_of_iterations() -> None:
    """No checkpoint would ever be saved."""
    with pytest.raises(ConfigError, match="more than the 10 batches of an epoch; reduce it"):
        checked(counts=20)
    assert due(checked(counts=20, interval=20, by_epoch=False)) == [20, 40]


def test_the_best_is_chosen_in_the_direction_of_the_metric() -> None:
    """The worst weights would be saved and published."""
    for key, scores, best in (("mse", (3.0, 1.0, 2.0), 1.0), ("psnr", (3.0, 9.0, 2.0), 9.0)):
        hook, run = checked(save_best=key), FakeRun()
        for score in scores:
            hook.after_val_epoch(run, {key: score})
        assert run.best == (key, best)


def test_a_non_finite_score_is_not_the_best() -> None:
    """After a NaN no later score would be better."""
    hook, run = checked(), FakeRun()
    hook.after_val_epoch(run, {"mse": float("nan")})
    assert run.best is None
    assert "cannot be the best" in run.warned[0]
    hook.after_val_epoch(run, {"mse": 2.0})
    assert run.best == ("mse", 2.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"save_best": "mes"}, "did you mean 'mse'"),
        ({"save_best": "mse", "rule": "greater"}, "best when less"),
        ({"rule": "lesser"}, "'less' or 'greater'"),
        ({"save_best": "coverage"}, "has no direction"),
        ({"keep": 0}, "keep=0 must be at least 1, or -1 to keep all checkpoints"),
    ],
)
def test_an_invalid_choice_is_an_error_before_the_run(arguments: dict, message: str) -> None:
    """A wrong key would be found after the first validation, which may take a day."""
    with pytest.raises(ConfigError, match=message):
        checked(**arguments)


def test_the_best_can_be_chosen_by_one_lead() -> None:
    """The best weights for the last frame could not be saved."""
    assert checked(save_best="mse@3").save_best == "mse@3"
    assert checked().save_best == "mse"
