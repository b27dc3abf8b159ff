"""Runs whose weights are divided among the processes equal those whose weights are whole."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from openstl_ext.engine import checkpoint
from tests.e2e.test_resume import assert_same, final, losses
from tests.e2e.test_sensor_pairs import BASE, NEW, PLUGIN, VALIDATED, stages
from tests.engine.resume_scenarios import log_of, run_scenarios
from tests.engine.test_encoding import ACCURACY, PROBE, scenes

DIVIDED = {"model_wrapper_cfg": {"type": "FullyShard"}}
WHOLE = {"model_wrapper_cfg": {"find_unused_parameters": True}}
# three and four batches a rank, so that one rank predicts while the other does not
UNEVEN = {**VALIDATED, "val_dataloader": {**NEW, **scenes("val"), "batch_size": 1}}


def run(ranks: int = 2, **options: Any) -> dict[str, Any]:
    """Return a stage of a pretraining."""
    return {"options": {**BASE, **options}, "ranks": ranks, **PLUGIN}


def assert_close(mine: dict[str, Any], other: dict[str, Any]) -> None:
    """Assert that weights and states of the optimiser are equal up to rounding."""
    for name, weight in mine["state_dict"].items():
        torch.testing.assert_close(weight, other["state_dict"][name], rtol=1e-4, atol=1e-5)
    one, two = mine["optimizer"], other["optimizer"]
    assert one["param_groups"] == two["param_groups"]
    assert one["state"].keys() == two["state"].keys()
    for index, state in one["state"].items():
        for key, value in state.items():
            torch.testing.assert_close(value, two["state"][index][key], rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_divided_weights_are_resumed_bit_for_bit_and_without_the_wrapper(tmp_path: Path) -> None:
    """A ViT-L could not be resumed, or only on the machines that began with it."""
    folders = {name: tmp_path / name for name in ("divided", "again", "whole", "mixed", "alone")}
    again, mixed, alone = stages(2, 2, 2), stages(2, 2, 2), stages(2, 1, 2)
    for stage in (*again, mixed[0], mixed[2], alone[0], alone[2]):
        stage["options"] = {**stage["options"], **DIVIDED}
    codes = run_scenarios(
        {
            folders["divided"]: [run(**DIVIDED)],
            folders["again"]: again,
            folders["whole"]: [run(**WHOLE)],
            folders["mixed"]: mixed,
            folders["alone"]: alone,
        }
    )
    for name in ("divided", "whole"):
        assert codes[folders[name]] == [[0, 0]], log_of(folders[name])
    for name, ranks in (("again", 2), ("mixed", 2), ("alone", 1)):
        ends = [[143, 143], [143] * ranks, [0, 0]]
        assert codes[folders[name]] == ends, log_of(folders[name])
    reference = final(folders["divided"])
    assert_same(losses(folders["divided"]), losses(folders["again"]))
    assert_same(reference, final(folders["again"]))
    for name in ("whole", "mixed", "alone"):
        assert_close(reference, final(folders[name]))


def test_each_process_has_its_share_only(tmp_path: Path) -> None:
    """A net that is too large for one GPU would be too large for several."""
    folder = tmp_path / "run"
    hooks = {"custom_hooks": [{"type": "ShareDiary"}]}
    assert run_scenarios({folder: [run(**hooks, **DIVIDED)]})[folder] == [[0, 0]], log_of(folder)
    counts = [json.loads((folder / f"shares_{rank}.json").read_text()) for rank in (0, 1)]
    for name, (_, total) in counts[0].items():
        shares = [count[name][0] for count in counts]
        assert sum(shares) == total
        assert max(shares) < 0.55 * total  # rows of odd numbers


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        UNEVEN,
        {"optim_wrapper.accumulative_counts": 2},
        {"optim_wrapper.clip_grad": {"max_norm": 0.1}},
        {
            "optim_wrapper.constructor": "LayerDecayConstructor",
            "optim_wrapper.paramwise_cfg": {"layer_decay": 0.5, "flat_decay_mult": 0.0},
        },
        {"train_dataloader": {**NEW, **scenes("train", labelled=False), "batch_size": 2}},
        {
            "model": {**NEW, **PROBE},
            "train_dataloader": {**NEW, **scenes("train"), "batch_size": 2},
            "val_dataloader": {**NEW, **scenes("val"), "batch_size": 1},
            "val_evaluator": ACCURACY,
            "val_cfg": {"type": "ExactValLoop"},
            "custom_hooks": [{"type": "CachedFeaturesHook"}],
        },
    ],
    ids=["validated", "accumulated", "clipped", "by layer", "unused band", "cached"],
)
def test_divided_weights_are_those_of_whole_ones(options: dict[str, Any], tmp_path: Path) -> None:
    """Scores would depend on how the memory is used."""
    one, two = tmp_path / "one", tmp_path / "two"
    # not Adam: it would enlarge the rounding of gradients that are 0, as those of key biases
    sgd = {"type": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "fused": False}
    options = {**options, "optim_wrapper.optimizer": sgd}
    codes = run_scenarios({one: [run(**options, **WHOLE)], two: [run(**options, **DIVIDED)]})
    assert codes == {one: [[0, 0]], two: [[0, 0]]}, log_of(two)
    assert_close(final(one), final(two))
    best = [[e.value for e in checkpoint.read_manifest(f) if e.kind == "best"] for f in (one, two)]
    assert best[0] == best[1]


@pytest.mark.slow
def test_divided_weights_in_bfloat16_are_tested_with_the_scores_of_one_process(
    tmp_path: Path,
) -> None:
    """A fine-tuned ViT-L could be trained and not be scored."""
    options = {
        "model": {**NEW, **PROBE, "frozen": False},
        "train_dataloader": {**NEW, **scenes("train"), "batch_size": 2},
        "optim_wrapper.type": "AutocastOptimWrapper",
        "test_dataloader": {**NEW, **scenes("test"), "batch_size": 1},
        "test_evaluator": ACCURACY,
        "test_cfg": {"type": "ExactTestLoop"},
        "custom_hooks": [{"type": "ResultHook"}],
    }
    folder = tmp_path / "run"
    weights = {"load_from": str(folder / "checkpoints/epoch_3.pth")}
    tests = [{**run(n, **options, **DIVIDED, **weights), "test": True} for n in (1, 2)]
    codes = run_scenarios({folder: [run(**options, **DIVIDED), *tests]})[folder]
    assert codes == [[0, 0], [0], [0, 0]], log_of(folder)
    one, two = (json.loads((folder / f"scores_{n}.json").read_text()) for n in (1, 2))
    assert one == two
    record = json.loads((folder / "result.json").read_text())
    assert record["flops"] > 0
    assert record["training"]["learning rate by batch"] == 1e-2 * 2 * 2 / 16


@pytest.mark.slow
def test_divided_weights_start_from_those_of_another_run(tmp_path: Path) -> None:
    """Each process would start from the values of another, or from chance."""
    before, one, two = (tmp_path / name for name in ("before", "one", "two"))
    hook = {
        **{"type": "PretrainedHook", "part": "net", "prefix": "net.encoder."},
        "checkpoint": str(before / "checkpoints/epoch_3.pth"),
    }
    options = {
        "model": {**NEW, **PROBE, "frozen": False},
        "train_dataloader": {**NEW, **scenes("train"), "batch_size": 2},
        "optim_wrapper": {**NEW, "optimizer": {"type": "SGD", "lr": 1e-3, "fused": False}},
        "custom_hooks": [hook],
    }
    codes = run_scenarios(
        {before: [run()], one: [run(**options, **WHOLE)], two: [run(**options, **DIVIDED)]}
    )
    assert codes == {before: [[0, 0]], one: [[0, 0]], two: [[0, 0]]}, log_of(two)
    assert_close(final(one), final(two))
    token = final(before)["state_dict"]["net.encoder.encoder.class_token"]
    assert (final(two)["state_dict"]["net.encoder.class_token"] - token).abs().max() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"custom_hooks": [{"type": "EMAHook"}]}, "FullyShard has no averages of weights"),
        (
            {
                "model": {
                    **NEW,
                    "type": "DirectForecast",
                    "net": {"type": "ToyNet"},
                    "loss": {"type": "L2"},
                }
            },
            "FullyShard divides the blocks of a transformer, and ToyNet has none",
        ),
    ],
)
def test_what_cannot_be_divided_is_an_error(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """The user would see a traceback of torch."""
    folder = tmp_path / "run"
    codes = run_scenarios({folder: [run(**options, **DIVIDED)]})[folder]
    assert codes == [[1, 1]]
    assert message in log_of(folder)
