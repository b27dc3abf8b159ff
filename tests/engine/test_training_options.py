"""Options of the training of encoders act: accumulation, drop path, mask ratio and bfloat16."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from openstl_ext.engine.collate import collate
from openstl_ext.engine.runner import Runner, build
from openstl_ext.engine.state import unwrap
from openstl_ext.methods import masked_autoencoding
from tests.engine.test_encoding import PRETRAINING, PROBE, VIT, config, scenes, weights_after
from tests.engine.toy_scenes import ToyScenes

TUNING = {**PROBE, "frozen": False, "standardises_features": False}
PAIRS = scenes("train", num_images=2, labelled=False)
BFLOAT16 = {"type": "AutocastOptimWrapper", "dtype": "bfloat16"}


def pretraining(folder: Path, wrapper: dict[str, Any] | None = None, **model: Any) -> Runner:
    """Return a run of masked autoencoding without validation."""
    optimizer = {"type": "AdamW", "lr": 1e-2}
    options = {"optim_wrapper": {"optimizer": optimizer, **(wrapper or {})}}
    cfg = config(folder, {**PRETRAINING, **model}, train_dataloader=PAIRS, **options)
    cfg.val_dataloader = cfg.val_evaluator = None
    return build(cfg)


def step(runner: Runner) -> dict[str, Tensor]:
    """Return the terms of one training step on the first four samples."""
    dataset = runner.train_dataloader.dataset
    torch.manual_seed(0)
    batch = collate([dataset[(0, index)] for index in range(4)])
    return runner.model.train_step(batch, runner.optim_wrapper)


def test_two_accumulated_batches_equal_one_of_twice_the_size(tmp_path: Path) -> None:
    """The published accumulation changes the learning rate only, not the batch."""
    found = []
    for size, count in ((8, 1), (4, 2)):
        wrapper = {"optimizer": {"type": "SGD", "lr": 0.1}, "accumulative_counts": count}
        loader = {**scenes("train"), "batch_size": size}
        cfg = config(tmp_path / str(size), TUNING, train_dataloader=loader, optim_wrapper=wrapper)
        found.append(weights_after(cfg))
    start = unwrap(build(config(tmp_path / "start", TUNING)).model).state_dict()
    assert not torch.allclose(found[0]["head.weight"], start["head.weight"], atol=1e-3)
    for name, weight in found[0].items():
        torch.testing.assert_close(weight, found[1][name], rtol=1e-5, atol=1e-6)


def test_drop_path_drops_branches_of_the_last_block_in_training(tmp_path: Path) -> None:
    """The published constructor ignores the probability."""
    net = {"type": "SpectralViT", **VIT, "depth": 2}
    models = [{**TUNING, "net": {**net, "drop_path_prob": prob}} for prob in (0.0, 0.5)]
    plain, dropped = (
        weights_after(config(tmp_path / str(i), model)) for i, model in enumerate(models)
    )
    assert not torch.equal(plain["head.weight"], dropped["head.weight"])
    method = unwrap(build(config(tmp_path / "run", models[1])).model)
    inputs = ToyScenes(split="train")[0]["inputs"]
    many = {name: value.expand(64, *value.shape) for name, value in inputs.items()}
    torch.manual_seed(0)
    # either branch of the second block is kept or dropped, the first block is always whole
    assert len(method.train().features(many).detach().unique(dim=0)) == 4
    assert len(method.eval().features(many).detach().unique(dim=0)) == 1


def test_the_mask_ratio_is_the_share_that_the_encoder_does_not_receive(tmp_path: Path) -> None:
    """The published command line has a ratio that the net does not receive."""
    weights, lengths = [], []
    for ratio in (0.5, 0.75):
        runner = pretraining(tmp_path / str(ratio), mask_ratio=ratio)
        blocks = unwrap(runner.model).net.encoder.encoder.blocks
        blocks[0].register_forward_hook(lambda _, args, __: lengths.append(args[0].shape[1]))
        step(runner)
        weights.append(unwrap(runner.model).net.encoder.encoder.class_token.detach().clone())
    assert lengths == [1 + 2, 1 + 1]  # with the class token, of four patches
    assert not torch.equal(*weights)


def test_pretraining_in_bfloat16_has_targets_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standardised patches of three digits would be learnt."""
    seen: list[tuple[torch.dtype, torch.dtype]] = []
    standardised = masked_autoencoding.standardised

    def spy(values: Tensor) -> Tensor:
        target = standardised(values)
        seen.append((values.dtype, target.dtype))
        return target

    monkeypatch.setattr(masked_autoencoding, "standardised", spy)
    full, half = (pretraining(tmp_path / n, w) for n, w in (("32", None), ("16", BFLOAT16)))
    outputs: list[torch.dtype] = []
    net: Any = unwrap(half.model).net
    net.decoder.blocks[0].widen.register_forward_hook(lambda _, __, y: outputs.append(y.dtype))
    losses = [step(runner)["loss"] for runner in (full, half)]
    assert outputs == [torch.bfloat16]
    assert set(seen) == {(torch.float32, torch.float32)}
    assert losses[1].dtype == torch.float32
    assert losses[0] != losses[1]
    torch.testing.assert_close(losses[0], losses[1], rtol=0.02, atol=0)
    for _ in range(10):
        last = step(half)["loss"]
    assert last < 0.9 * losses[1]
    assert {p.dtype for p in half.model.parameters()} == {torch.float32}


def test_fine_tuning_in_bfloat16_has_a_loss_in_float32(tmp_path: Path) -> None:
    """Losses of confident predictions would be rounded to zero."""
    optimizer = {"type": "AdamW", "lr": 1e-2}
    full, half = (
        build(config(tmp_path / n, TUNING, optim_wrapper={"optimizer": optimizer, **wrapper}))
        for n, wrapper in (("32", {}), ("16", BFLOAT16))
    )
    logits: list[torch.dtype] = []
    unwrap(half.model).head.register_forward_hook(lambda _, __, out: logits.append(out.dtype))
    losses = [step(runner)["loss"] for runner in (full, half)]
    assert logits == [torch.bfloat16]
    assert losses[1].dtype == torch.float32
    torch.testing.assert_close(losses[0], losses[1], rtol=0.02, atol=0)
    for _ in range(10):
        last = step(half)["loss"]
    assert last < 0.9 * losses[1]
