"""Learning rates and weight decay by layer."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from torch import Tensor, nn

from openstl_ext.engine import layer_decay
from openstl_ext.engine.defaults import complete
from openstl_ext.engine.effects import without_effect
from openstl_ext.engine.runner import build
from openstl_ext.engine.state import unwrap
from openstl_ext.engine.validate import validate
from openstl_ext.errors import ConfigError
from openstl_ext.methods.classification import Classification
from openstl_ext.methods.masked_autoencoding import MaskedAutoencoding
from openstl_ext.methods.segmentation import Segmentation
from tests.engine.test_encoding import PRETRAINING, PROBE, VIT, config

DEPTH, DECAY = 3, 0.5
NET = {"type": "SpectralViT", **VIT, "depth": DEPTH, "trains_positions": True}
DECAYED = {
    "constructor": "LayerDecayConstructor",
    "optimizer": {"type": "AdamW", "lr": 1e-2, "betas": (0.9, 0.95), "weight_decay": 0.05},
    "paramwise_cfg": {"layer_decay": DECAY, "flat_decay_mult": 0.0},
}


def classifier() -> Classification:
    return Classification(net=NET, num_classes=2, loss={"type": "CrossEntropy"})


def layer_of(name: str) -> int:
    """Return the layer of a parameter of a classifier, by its name."""
    if ".blocks." in name:
        return int(name.split(".blocks.")[1].split(".")[0]) + 1
    return DEPTH + 1 if name.startswith("head") or ".norm" in name else 0


def step_of(method: nn.Module, wrapper: dict[str, Any]) -> dict[str, Tensor]:
    """Return the change of each parameter by a step on gradients of one."""
    optimiser = build_optim_wrapper(method, wrapper)
    before = {name: p.detach().clone() for name, p in method.named_parameters()}
    for parameter in method.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    return {name: before[name] - p.detach() for name, p in method.named_parameters()}


@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
def test_a_step_changes_each_layer_in_its_ratio(kind: str) -> None:
    """The published factors are written to a place that the optimiser does not read."""
    optimizer = {"type": kind, "lr": 0.125, "weight_decay": 0.0}
    for name, change in step_of(classifier(), {**DECAYED, "optimizer": optimizer}).items():
        wanted = torch.full_like(change, 0.125 * DECAY ** (DEPTH + 1 - layer_of(name)))
        torch.testing.assert_close(change, wanted, rtol=1e-3, atol=1e-6, msg=name)


def test_the_decoder_of_an_autoencoder_is_after_its_encoder() -> None:
    """Blocks of the decoder would be taken for those of the encoder."""
    encoder = {**VIT, "depth": 2}
    net = {**PRETRAINING["net"], "encoder": encoder, "decoder_depth": 2}
    method = MaskedAutoencoding(net=net)
    layers = layer_decay.layers_of([name for name, _ in method.named_parameters()], "net")
    found = {n: layer for n, layer in layers.items() if "encoder.blocks" in n or "decoder" in n}
    assert {layer for n, layer in found.items() if "decoder" in n} == {3}
    assert {layer for n, layer in found.items() if "encoder.blocks.1" in n} == {2}


def test_a_mean_of_images_has_the_rate_of_the_head() -> None:
    """It is registered before the encoder, and would hardly be trained."""
    net = {"type": "SpectralSegmenter", "encoder": {**VIT, "depth": DEPTH}}
    method = Segmentation(
        net={**net, "num_classes": 2, "num_images": 3}, loss={"type": "CrossEntropy"}
    )
    optimizer = {"type": "SGD", "lr": 0.125}
    wrapper = {**DECAYED, "optimizer": optimizer, "paramwise_cfg": {"layer_decay": DECAY}}
    changes = step_of(method, wrapper)
    for name, factor in (("image_weights", 1.0), ("encoder.encoder.class_token", DECAY**4)):
        change = changes[f"net.{name}"]
        torch.testing.assert_close(change, torch.full_like(change, 0.125 * factor))


def test_factors_multiply_and_frozen_weights_have_no_group() -> None:
    """A factor of the config would be lost beside the layers."""
    custom = {"custom_keys": {"head": {"lr_mult": 10.0}}}
    paramwise = {**DECAYED["paramwise_cfg"], **custom}
    frozen = Classification(**{k: v for k, v in PROBE.items() if k != "type"})
    optimiser = build_optim_wrapper(frozen, {**DECAYED, "paramwise_cfg": paramwise})
    (head,) = optimiser.optimizer.param_groups
    assert [p.ndim for p in head["params"]] == [2, 1]
    assert head["lr"] == pytest.approx(0.1)


def decays(method: nn.Module, **paramwise: float) -> dict[str, float]:
    """Return the weight decay of each trained parameter of a method."""
    wrapper = {"optimizer": DECAYED["optimizer"], "paramwise_cfg": paramwise}
    if "layer_decay" in paramwise:
        wrapper["constructor"] = "LayerDecayConstructor"
    names = {parameter: name for name, parameter in method.named_parameters()}
    groups = build_optim_wrapper(method, wrapper).optimizer.param_groups
    return {names[p]: group["weight_decay"] for group in groups for p in group["params"]}


@pytest.mark.parametrize("paramwise", [{}, {"layer_decay": 0.75}], ids=["alone", "by layer"])
def test_biases_and_norms_have_no_weight_decay_and_tokens_have(paramwise: dict[str, float]) -> None:
    """Norms would shrink, or the class token would not, in contrast to the published training."""
    method = MaskedAutoencoding(net=PRETRAINING["net"])
    found = decays(method, flat_decay_mult=0.0, **paramwise)
    assert found.keys() == {n for n, p in method.named_parameters() if p.requires_grad}
    flat = {name for name, p in method.named_parameters() if p.ndim == 1}
    assert {name for name, decay in found.items() if decay == 0} == flat
    assert found["net.encoder.encoder.class_token"] == found["net.decoder.hidden_token"] == 0.05


def test_weight_decay_shrinks_a_class_token_and_no_bias() -> None:
    """The options of the groups could be right, and the optimiser not use them."""
    method = classifier()
    bias = method.net.encoder.blocks[0].widen.bias
    nn.init.ones_(bias)
    token = method.net.encoder.class_token
    before = token.detach().clone()
    wrapper = {**DECAYED, "paramwise_cfg": {"layer_decay": 1.0, "flat_decay_mult": 0.0}}
    optimiser = build_optim_wrapper(method, wrapper)
    for parameter in method.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    torch.testing.assert_close(token.detach(), before * (1 - 1e-2 * 0.05))
    assert bool((bias == 1).all())


def test_schedules_keep_the_ratio_and_a_resume_is_exact(tmp_path: Path) -> None:
    """The decay would hold for the first iteration only, or until a resume."""
    model = {**PROBE, "net": NET, "frozen": False, "standardises_features": False}
    options = {
        "optim_wrapper": DECAYED,
        "train_cfg": {"max_epochs": 4},
        "param_scheduler": [
            {"type": "WarmupThenCosineLR", "warmup": 2, "convert_to_iter_based": True}
        ],
        "default_hooks": {"checkpoint": {"interval": 6, "by_epoch": False, "keep": -1}},
    }
    whole = build(config(tmp_path / "whole", model, **options))
    seen: list[list[float]] = []
    groups = whole.optim_wrapper.optimizer.param_groups
    step = whole.optim_wrapper.optimizer.step
    whole.optim_wrapper.optimizer.step = lambda *a, **k: (
        seen.append([group["lr"] for group in groups]),
        step(*a, **k),
    )
    whole.train()
    assert len(seen) == 16
    ratios = [group["initial_lr"] / 1e-2 for group in groups]
    assert set(ratios) == {DECAY**n for n in range(DEPTH + 2)}
    for rates in seen[1:]:
        assert rates == pytest.approx([max(rates) * ratio for ratio in ratios])
    file = str(tmp_path / "whole/checkpoints/iter_6.pth")
    again = build(config(tmp_path / "again", model, **options, resume=file))
    again.train()
    one, other = (unwrap(runner.model).state_dict() for runner in (whole, again))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"constructor": None}, "layer_decay: it has no effect without its constructor"),
        ({"paramwise_cfg": None}, "LayerDecayConstructor needs a factor"),
        ({"paramwise_cfg": {"layer_decay": 1.5}}, r"layer_decay: expected float <= 1"),
        ({"paramwise_cfg": {"layerdecay": 0.5}}, "there is no key 'layerdecay'"),
        (
            {"optimizer": {"type": "AdamW", "lr": 1e-3}},
            "flat_decay_mult: it has no effect on the default weight decay",
        ),
        ({"constructor": "LayerDecay"}, "did you mean 'LayerDecayConstructor'"),
    ],
)
def test_a_factor_that_cannot_act_is_an_error(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """A search over decays would compare equal runs."""
    wrapper = {k: v for k, v in {**DECAYED, **change}.items() if v is not None}
    cfg = complete(config(tmp_path, {**PROBE, "net": NET}, optim_wrapper=wrapper))
    with pytest.raises(ConfigError, match=message):
        validate(cfg)


def test_a_cycle_that_sets_all_rates_is_an_error_beside_a_decay() -> None:
    """The cycle would give all layers one rate."""
    cfg = {"optim_wrapper": DECAYED, "param_scheduler": [{"type": "OneCycleLR", "eta_max": 1e-3}]}
    (problem,) = without_effect(cfg)
    assert problem.startswith("optim_wrapper.paramwise_cfg.layer_decay: it has no effect")


def test_a_net_whose_layers_have_no_order_is_an_error() -> None:
    """A part of the net would have the rates of another."""
    with pytest.raises(ConfigError, match=r"several stacks of blocks \(net.a.blocks, net.b.blocks"):
        layer_decay.layers_of(["net.a.blocks.0.weight", "net.b.blocks.0.weight"], "Twin")
    conv = nn.Conv2d(1, 1, 1)
    with pytest.raises(ConfigError, match="Conv2d has no blocks"):
        build_optim_wrapper(conv, DECAYED)
    rate = {**DECAYED, "optimizer": {"type": "Adadelta"}}
    with pytest.raises(ConfigError, match=r"set optim_wrapper\.optimizer\.lr"):
        build_optim_wrapper(conv, rate)
