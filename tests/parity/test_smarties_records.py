"""Parity with SMARTIES, proven by replays of its records."""

import json
from pathlib import Path
from typing import Any

import pytest

from openstl_ext import interop
from openstl_ext.errors import ConfigError
from openstl_ext.interop.smarties import spectrum_of
from tests.parity import replay
from tests.parity.network_record import NetworkRecord

GOLDEN = Path(__file__).with_name("golden")
NAMES = (
    "smarties_spectrum_projection",
    "smarties_vit",
    "smarties_vit_alltokens",
    "smarties_vit_globalpool_patchify",
    "smarties_vit_multimodal",
)


def record(name: str) -> dict[str, Any]:
    """Read a golden record."""
    return json.loads((GOLDEN / f"{name}.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_quantity_is_met(name: str) -> None:
    """Released weights would give other tokens."""
    recorded = record(name)
    errors = {q.name: q.error for q in replay.quantities(recorded)}
    train = recorded["train"]
    expected = {"n_params", "output", "train.loss"}
    expected |= {f"train.grad_l2[{key}]" for key in train["grad_l2"]}
    expected |= {f"train.params_without_grad[{key}]" for key in train["params_without_grad"]}
    assert errors.keys() == expected
    assert max(errors.values()) <= replay.TOLERANCE


@pytest.mark.parametrize("name", ["smarties_mae", "smarties_mae_no_pixnorm"])
def test_every_recorded_quantity_of_the_pre_training_is_met(name: str) -> None:
    """A pre-training would not be that of the paper."""
    recorded = record(name)
    errors = {q.name: q.error for q in replay.quantities(recorded)}
    expected = {"n_params", "output", "extra.loss", "extra.mask", "knn_feats.output"}
    expected |= {"train.loss", "train.params_frozen"}
    expected |= {f"with_torch_manual_seed_0.{part}" for part in ("loss", "mask")}
    expected |= {f"train.grad_l2[{key}]" for key in recorded["train"]["grad_l2"]}
    assert errors.keys() == expected
    assert max(errors.values()) <= replay.TOLERANCE


def test_patches_and_positions_are_those_of_the_record() -> None:
    """Released weights would see patches and positions in another order."""
    errors = {q.name: q.error for q in replay.quantities(record("smarties_utils"))}
    assert errors.keys() == {"tensor_patchify", "sincos", "interpolate_pos_embed"}
    assert max(errors.values()) <= replay.TOLERANCE


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("smarties_spectrum_projection", "spectrum_embeds.1.proj.bias"),
        ("smarties_vit", "norm.bias"),
        ("smarties_vit_globalpool_patchify", "fc_norm.bias"),
    ],
)
def test_a_wrong_weight_is_detected(name: str, key: str) -> None:
    """A replay that cannot fail would prove nothing."""
    part = NetworkRecord(record(name))
    part.weights[key] += 0.1
    off = {q.name for q in part.replay() if not (q.error or 0.0) <= replay.TOLERANCE}
    assert {"output", "train.loss"} <= off


def test_the_published_interpolation_is_that_of_the_record() -> None:
    """The farther band would have the smaller weight, which released weights do not expect."""
    recorded = record("smarties_spectrum_projection")
    spectrum = spectrum_of(recorded["kwargs"]["spectrum_specs"])
    assert spectrum.bands["vv"].max_nm == 5.6e7
    shares = spectrum.mixing("inverted")[0]
    assert [s for s in shares if s] == pytest.approx(recorded["averaging_weights"]["4"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_wavelength": "blue"}, "could not convert string to float"),
        ({"agg_projections": [0]}, "not enough values"),
        ({"agg_projections": [0, 9]}, "KeyError: 9"),
        ({"projection_idx": None}, "TypeError"),
    ],
)
def test_a_mistake_in_the_spectrum_is_one_sentence(change: dict[str, Any], message: str) -> None:
    """A user with an own spectrum would see a traceback."""
    kwargs = record("smarties_spectrum_projection")["kwargs"]
    specs = {name: dict(entry) for name, entry in kwargs["spectrum_specs"].items()}
    specs["mixed"] |= change
    with pytest.raises(ConfigError, match=f"spectrum_specs: .*{message}"):
        interop.adapter_of(
            "gsumbul/SMARTIES", "SpectrumAwareProjection", {**kwargs, "spectrum_specs": specs}
        )
