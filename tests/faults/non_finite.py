"""Plant NaN and infinities into trainings, and check that none reaches a checkpoint."""

import math
import random
import tempfile
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch import Tensor

from openstl_ext.engine import checkpoint
from openstl_ext.engine.runner import build
from openstl_ext.errors import NonFiniteError
from openstl_ext.registry import HOOKS
from tests.engine.toy import config
from tests.faults.row import Row

CASES = 200
ITERATIONS = 16
PLACES = ("inputs", "targets", "weights", "buffers", "gradients", "loss", "optimiser state")
VALUES = (math.nan, math.inf, -math.inf)


@HOOKS.register_module()
class PlantHook(Hook):
    """Plant a value into one place of one iteration.

    Args:
        place: One of PLACES.
        value: The value, as text.
        at: The iteration, counted from 1.
    """

    changes = "nothing"

    def __init__(self, *, place: str, value: str, at: int) -> None:
        self.place, self.value, self.at = place, float(value), at

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter + 1 != self.at:
            return
        net = runner.model.net
        weight, norm = next(net.parameters()), net.body[1]
        if self.place in ("inputs", "targets"):
            side = "inputs" if self.place == "inputs" else "data_samples"
            data_batch[side]["frames"].flatten()[7] = self.value
        elif self.place == "weights":
            weight.data.flatten()[3] = self.value
        elif self.place == "buffers":
            norm.running_mean[1] = self.value
        elif self.place == "gradients":
            handle = weight.register_hook(lambda grad: (handle.remove(), grad + self.value)[1])
        elif self.place == "loss":
            whole = runner.model.loss
            runner.model.loss = lambda *batch: self._planted(runner, whole, batch)
        else:
            (state, *_) = runner.optim_wrapper.optimizer.state.values()
            state["exp_avg_sq"].flatten()[3] = abs(self.value)

    def _planted(self, runner: Runner, whole: Any, batch: tuple[Any, ...]) -> dict[str, Tensor]:
        del runner.model.loss
        return {name: term + self.value for name, term in whole(*batch).items()}


def plants(number: int) -> Iterator[tuple[str, float, int]]:
    """Draw place, value and iteration; the same ones in every run."""
    drawn = random.Random(0)
    for index in range(number):
        place = PLACES[index % len(PLACES)]
        first = 2 if place == "optimiser state" else 1  # before the first step it has none
        yield place, drawn.choice(VALUES), drawn.randint(first, ITERATIONS)


def trained(folder: str, hook: dict[str, Any] | None = None) -> dict[str, Tensor]:
    """Train two epochs, from the newest checkpoint if there is one; return the weights."""
    options: dict[str, Any] = {"train_cfg.max_epochs": 2, "custom_hooks": [hook] if hook else []}
    run = build(config(folder, resume=bool(checkpoint.read_manifest(folder)), **options))
    MMLogger.get_current_instance().setLevel("ERROR")
    run.train()
    return dict(run.model.state_dict())


def is_finite(value: Any) -> bool:
    """Return whether all tensors in nested dicts and lists are finite."""
    if isinstance(value, Tensor):
        return bool(value.isfinite().all())
    parts = value.values() if isinstance(value, dict) else value
    return not isinstance(value, dict | list | tuple) or all(map(is_finite, parts))


def outcome(place: str, value: float, at: int, expected: dict[str, Tensor]) -> tuple[bool, bool]:
    """Train with a plant, then go on without it.

    Returns:
        Whether the plant was detected and no checkpoint holds it; whether the run that goes on
        ends with the weights of an undisturbed one.
    """
    hook = {"type": "PlantHook", "place": place, "value": str(value), "at": at}
    with tempfile.TemporaryDirectory() as folder:
        detected = False
        try:
            trained(folder, hook)
        except NonFiniteError:
            detected = True
        files = checkpoint.checkpoint_folder(folder).glob("*.pth")
        whole = all(is_finite(checkpoint.read(path)) for path in files)
        if not (detected and whole):
            return False, False
        weights = trained(folder)
    same = all(torch.equal(weights[name], value) for name, value in expected.items())
    return True, same


def rows(number: int = CASES) -> Iterator[Row]:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        expected = trained(folder)
    found = [outcome(*plant, expected) for plant in plants(number)]
    detected, recovered = (sum(part) for part in zip(*found, strict=True))
    note = f"into {', '.join(PLACES)}; recovered: the run that goes on equals an undisturbed one"
    yield Row("NaN and infinities", number, detected, recovered, number - recovered, note)
