"""Wrong parts of a checkpoint are refused by name before they are loaded."""

import copy
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from openstl_ext.engine import checkpoint, state
from openstl_ext.engine.runner import Runner, build
from openstl_ext.engine.saved_state import state_after_step
from openstl_ext.errors import CheckpointError
from tests.engine import toy

OPTIONS: dict[str, Any] = {
    "train_cfg.max_epochs": 2,
    "custom_hooks": [
        {"type": "EMAHook", "momentum": 0.1},
        {"type": "EarlyStoppingHook", "monitor": "mse", "rule": "less", "patience": 9},
    ],
    "default_hooks.checkpoint": {"keep": 9},
    "val_cfg": {},
}
State = dict[str, Any]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the work directory of a run of two epochs."""
    work_dir = tmp_path_factory.mktemp("trained") / "run"
    build(toy.config(work_dir, **OPTIONS)).train()
    return work_dir


@pytest.fixture(scope="module")
def saved(trained: Path) -> State:
    """Return the content of its first checkpoint."""
    return checkpoint.read(trained / "checkpoints" / "epoch_1.pth")


@pytest.fixture(scope="module")
def run(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Return a run that shall continue it."""
    work_dir = tmp_path_factory.mktemp("resumed")
    run = build(toy.config(work_dir, **OPTIONS, resume=str(trained)))
    run.call_hook("before_run")
    return run


def states(saved: State) -> dict[int, dict[str, Any]]:
    return saved["optimizer"]["state"]


def replace_exp_avg(saved: State, value: Callable[[torch.Tensor], Any]) -> None:
    for found in states(saved).values():
        found["exp_avg"] = value(found["exp_avg"])


CASES: dict[str, tuple[Callable[[State], Any], str]] = {
    "short moments": (
        lambda s: replace_exp_avg(s, lambda _: torch.zeros(1)),
        r"optimizer.state.0 \(net.body.0.weight\).exp_avg is \(1,\) float32, expected \(4, 2, 3",
    ),
    "a moment of one number": (
        lambda s: replace_exp_avg(s, lambda _: torch.zeros(())),
        r"exp_avg is \(\) float32",
    ),
    "double moments": (lambda s: replace_exp_avg(s, torch.Tensor.double), "exp_avg is .* float64"),
    "sparse moments": (lambda s: replace_exp_avg(s, torch.Tensor.to_sparse), "exp_avg is"),
    "moments without memory": (lambda s: replace_exp_avg(s, lambda t: t.to("meta")), "exp_avg is"),
    "a list of moments": (lambda s: replace_exp_avg(s, torch.Tensor.tolist), r"exp_avg is \["),
    "infinite moments": (
        lambda s: states(s)[2]["exp_avg_sq"].fill_(math.inf),
        "exp_avg_sq of net.body.1.weight is not finite",
    ),
    "no moments": (lambda s: states(s)[0].clear(), "net.body.0.weight. has no 'step'"),
    "one parameter less": (lambda s: states(s).pop(3), "optimizer.state has 5 entries, expected 6"),
    "one parameter more": (
        lambda s: (states(s).update({6: states(s)[0]}), s["meta"].update(num_states=7)),
        "optimizer.state.6 belongs to no parameter",
    ),
    "other names": (lambda s: states(s).update({"a": {}}), "optimizer.state"),
    "steps of the future": (
        lambda s: states(s)[1]["step"].fill_(9),
        r"optimizer.state.1.step is 9, expected 1 to 8",
    ),
    "no group": (lambda s: s["optimizer"]["param_groups"].clear(), "param_groups has 0 entries"),
    "other flags": (
        lambda s: s["optimizer"]["param_groups"][0].update(amsgrad=True),
        "param_groups.0.amsgrad is True, expected False",
    ),
    "other parameters": (
        lambda s: s["optimizer"]["param_groups"][0].update(params=[0, 0, 1, 2, 3, 4]),
        "param_groups.0.params is",
    ),
    "a text as rate": (
        lambda s: s["optimizer"]["param_groups"][0].update(lr="high"),
        "param_groups.0.lr is 'high'",
    ),
    "a share above one": (
        lambda s: s["optimizer"]["param_groups"][0].update(betas=(0.9, 2.0)),
        "param_groups.0.betas is .* out of range",
    ),
    "an infinite rate": (
        lambda s: s["optimizer"]["param_groups"][0].update(lr=math.inf),
        "optimizer.param_groups.0.lr is not finite",
    ),
    "iterations below zero": (lambda s: s["meta"].update(iteration=-5), "meta.iteration"),
    "too many iterations": (
        lambda s: s["meta"].update(iteration=10**9),
        "meta.iteration is 1000000000, but the training has 16 iterations",
    ),
    "another epoch": (
        lambda s: s["meta"].update(epoch=1),
        r"meta.epoch is 1, but iteration 8 is in epoch 0",
    ),
    "a negative time": (
        lambda s: s["meta"]["training_time"][0].update(seconds=-1.0),
        "meta.training_time",
    ),
    "a tensor as place": (lambda s: s["meta"].update(iteration=torch.tensor(8)), "meta.iteration"),
    "a list as meta": (lambda s: s.update(meta=[1]), "meta"),
    "a tensor as meta": (lambda s: s.update(meta=torch.zeros(3)), "cannot resume"),
    "tensors in the plan": (lambda s: s["meta"]["plan"].update(seed=torch.zeros(3)), "meta.plan"),
    "tensors in a list of the plan": (
        lambda s: s["meta"]["plan"].update(seed=[torch.zeros(3)]),
        "meta.plan",
    ),
    "no plan": (lambda s: s["meta"].pop("plan"), "plan"),
    "no weights": (lambda s: s.pop("state_dict"), "state_dict"),
    "a weight of another shape": (
        lambda s: s["state_dict"].update({"net.body.0.bias": torch.zeros(3)}),
        r"state_dict.net.body.0.bias is \(3,\) float32, expected \(4,\) float32",
    ),
    "a weight of another type": (
        lambda s: s["state_dict"].update({"net.body.0.bias": torch.zeros(4).half()}),
        "state_dict.net.body.0.bias is .* float16",
    ),
    "an averaged weight less": (
        lambda s: s["ema_state_dict"].pop("module.net.body.0.bias"),
        "ema_state_dict has no 'module.net.body.0.bias'",
    ),
    "no averages": (lambda s: s.pop("ema_state_dict"), "ema_state_dict is missing"),
    "infinite averages": (
        lambda s: s["ema_state_dict"]["module.net.body.0.bias"].fill_(math.nan),
        "ema_state_dict.module.net.body.0.bias is not finite",
    ),
    "a schedule less": (lambda s: s["param_schedulers"].pop(), "param_schedulers has 1 entries"),
    "a schedule of another kind": (
        lambda s: s["param_schedulers"].reverse(),
        "param_schedulers.0 has no",
    ),
    "a schedule that is a number": (lambda s: s.update(param_schedulers=[1, 2]), "schedulers"),
    "a schedule at another place": (
        lambda s: s["param_schedulers"][0].update(_global_step=-5),
        "param_schedulers.0._global_step is -5, expected 8",
    ),
    "a schedule of another length": (
        lambda s: s["param_schedulers"][0].update(total_steps=0),
        "param_schedulers.0.total_steps is 0, expected 100",
    ),
    "hooks of another number": (lambda s: s["early_stopping"].clear(), "early_stopping has 0"),
    "hooks that are texts": (lambda s: s.update(early_stopping=["a"]), "early_stopping"),
    "patience below zero": (
        lambda s: s["early_stopping"][0].update(wait_count=-1),
        "early_stopping.*wait_count",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_part_is_refused_by_name(case: str, run: Runner, saved: State) -> None:
    """A fused kernel would write beyond its memory, or the run would continue as another."""
    change, message = CASES[case]
    wrong = copy.deepcopy(saved)
    change(wrong)
    with pytest.raises(CheckpointError, match=message) as caught:
        state.restore(run, wrong, "x.pth")
    assert str(caught.value).startswith("cannot resume from x.pth")
    assert str(caught.value).count("\n") == 0


def places(part: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield the keys of every value of nested dicts and lists, the whole parts included."""
    entries = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in entries:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


WRONG = (None, "x", -1, 10**30, math.nan, True, [], {}, {1: 2}, torch.zeros(()), torch.zeros(2, 0))


@pytest.mark.slow
def test_no_part_of_a_wrong_kind_ends_in_another_error(run: Runner, saved: State) -> None:
    """The user would see a traceback, or the fused kernel would get the part."""
    accepted = []
    for number, path in enumerate(places(saved)):
        for value in WRONG[number % 3 :: 3] if len(path) > 2 else WRONG:
            wrong = copy.copy(saved)
            part: Any = wrong
            for key in path[:-1]:
                part[key] = copy.copy(part[key])
                part = part[key]
            if part[path[-1]] is value:
                continue
            part[path[-1]] = value
            try:
                state.restore(run, wrong, "x.pth")
            except CheckpointError:
                continue
            accepted.append((path, value))
    # of the manifest, of a later version, and what the run states anew
    free = {"config", "entry", "best", "num_states", "identity", "overrides", "test", "versions"}
    free |= {"training_time"}  # it decides no later step
    left = [(path, value) for path, value in accepted if path[1] not in free]
    # values that a schedule or an option may have, or that a validation sets
    allowed = {"best_score", "lr", "initial_lr", "eps", "weight_decay", "_last_value", "verbose"}
    allowed |= {"load_from"}  # the weights that a run began with, which a resume does not need
    assert [(p, v) for p, v in left if p[-1] not in allowed and "_last_value" not in p] == []


def test_tensors_that_share_memory_get_memory_of_their_own(run: Runner, saved: State) -> None:
    """Fused kernels write each element, of which a repeated value has one for all."""
    wrong = copy.deepcopy(saved)
    for found in states(wrong).values():
        found["exp_avg"] = torch.zeros(()).expand(found["exp_avg"].shape)
        found["exp_avg_sq"] = found["exp_avg"]
    state.restore(run, wrong, "x.pth")
    for parameter, found in run.optim_wrapper.optimizer.state.items():
        first, second = found["exp_avg"], found["exp_avg_sq"]
        assert first.stride() == parameter.stride()
        assert first.data_ptr() != second.data_ptr()


def test_a_whole_checkpoint_is_restored(run: Runner, saved: State) -> None:
    """A check that is too strict would lose the run."""
    state.restore(run, copy.deepcopy(saved), "x.pth")
    assert run.iter == saved["meta"]["iteration"]
    for found, expected in zip(
        run.optim_wrapper.optimizer.state.values(), states(saved).values(), strict=True
    ):
        assert all(torch.equal(found[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("name", "options"),
    [("Adam", {"fused": True}), ("SGD", {"momentum": 0.9}), ("SGD", {}), ("Adagrad", {})]
    + [(name, {}) for name in ("RMSprop", "NAdam", "RAdam", "Adamax", "ASGD", "Adafactor")],
)
def test_the_expected_state_is_that_of_a_step(name: str, options: dict[str, Any]) -> None:
    """The state of an optimiser of torch would be refused, or not compared."""
    net = nn.Linear(3, 2)
    optimizer = getattr(torch.optim, name)(net.parameters(), lr=0.1, **options)
    expected = state_after_step(optimizer)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    made = optimizer.state_dict()["state"]
    assert expected.keys() == made.keys()
    for index, found in made.items():
        assert {k: getattr(v, "shape", None) for k, v in found.items()} == {
            k: getattr(v, "shape", None) for k, v in expected[index].items()
        }
