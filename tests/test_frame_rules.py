"""Frames are compared with the channels, the unit and the range that a dataset declares."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch.utils.data import Dataset

import openstl_ext
from openstl_ext.engine.loops import Seeded
from openstl_ext.errors import DataError, ShapeError
from openstl_ext.frame_rules import FrameRules, check_item, declared_range
from openstl_ext.interfaces import DenseModel, provides
from openstl_ext.prediction.forecasting import check_sequences
from openstl_ext.prediction.predictor import Predictor, rules_of
from openstl_ext.registry import METHODS, MODELS
from openstl_ext.structures import Channel, Metainfo
from tests.toys import toy_method

METHODS.import_from_location()
MODELS.import_from_location()
SHARES = FrameRules.of([Channel("brightness", "0-1")])
FLOWS = FrameRules.of([Channel("u", "m/s"), Channel("share", "share of the area")])
GOOD = np.random.default_rng(0).random((4, 1, 16, 16), dtype="float32")


def with_value(value: float) -> np.ndarray:
    """Return good frames with one other value."""
    frames = GOOD.copy()
    frames[1, 0, 3, 3] = value
    return frames


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("0-1", (0, 1)),
        ("0-10000", (0, 10000)),
        ("-1 to 1", (-1, 1)),
        ("share of 212 F", (0, 1)),
        ("1", None),
        ("m/s", None),
        ("1-0", None),
        ("2001-02-03", None),
    ],
)
def test_a_range_is_read_from_the_unit(unit: str, expected: tuple[float, float] | None) -> None:
    """Right values would be refused, or wrong ones accepted."""
    assert declared_range(unit) == expected


BAD = {
    "bytes": (255 * GOOD, "0 to 1; divide bytes by 255"),
    "whole bytes": ((255 * GOOD).astype(np.uint8), "divide bytes by 255"),
    "standardised": (3 * (GOOD - 0.5), "rescale"),
    "one fill value": (with_value(-9999), "-9999"),
    "lowest float": (with_value(-3.4e38), "-3.4e+38"),
    "NaN": (with_value(np.nan), "1 of 1,024 values are NaN or infinite"),
    "infinity": (with_value(np.inf), "1 of 1,024 values"),
    "no data": (np.full_like(GOOD, np.nan), "no usable value"),
    "all infinite": (np.full_like(GOOD, -np.inf), "no usable value"),
    "channels": (GOOD.repeat(3, axis=1), "3 channels, expected 1"),
    "channel last": (np.moveaxis(GOOD, 1, -1), "height x width x channel"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("entrance", ["training", "target", "prediction", "api"])
def test_frames_that_cannot_be_right_are_refused_at_every_entrance(
    kind: str, entrance: str
) -> None:
    """Scores and forecasts would be of other data than the user means."""
    frames, message = BAD[kind]
    metainfo = Metainfo(name="toy", channels=(Channel("brightness", "0-1"),))
    if entrance == "prediction":
        if kind == "NaN":
            return  # one missing pixel is allowed there
        message = message.replace("NaN or infinite", "infinite")
        with pytest.raises(DataError, match="sample a7") as caught:
            check_sequences(SHARES, ["a7"], frames[None])
    elif entrance == "api":
        method = toy_method("DirectForecast", "Persistence").eval()
        method.frame_rules = SHARES
        message = "NaN or infinite" if not np.isfinite(frames).all() else message
        with pytest.raises(DataError) as caught:
            openstl_ext.forecast(
                method, np.stack([GOOD, frames]) if frames.shape == GOOD.shape else frames[None], 4
            )
    else:
        sides = {"inputs": GOOD, "data_samples": GOOD}
        sides["inputs" if entrance == "training" else "data_samples"] = frames
        item: Any = {side: {"frames": torch.from_numpy(x)} for side, x in sides.items()}
        if entrance == "training" and "chann" in kind:
            return  # the net is compared with its inputs
        with pytest.raises(DataError) as caught:
            check_item(item, metainfo)
    assert message in str(caught.value)


def test_good_frames_pass_with_an_overshoot_and_with_masked_values() -> None:
    """Right data would be refused."""
    SHARES.check(with_value(1.2), place="x")
    SHARES.check(GOOD > 0.5, place="x")
    SHARES.check(with_value(np.nan), place="x", may_be_missing=True)
    SHARES.check(with_value(-9999), place="x", valid=with_value(-1) >= 0)
    empty = np.full_like(GOOD, np.nan)
    SHARES.check(empty, place="x", valid=np.isfinite(empty), may_be_empty=True)
    with pytest.raises(DataError, match="no usable value"):
        SHARES.check(empty, place="x", valid=np.isfinite(empty))
    FrameRules().check(1e6 * GOOD, place="x")


def test_the_range_of_each_channel_counts() -> None:
    """A wind of 12 m/s would be refused, or a share of 12 accepted."""
    frames = np.stack([12 * GOOD[:, 0], GOOD[:, 0]], axis=1)
    FLOWS.check(frames, place="x")
    with pytest.raises(DataError, match="values of share reach"):
        FLOWS.check(12 * frames, place="x")
    with pytest.raises(DataError, match=r"values of u reach .* fill values"):
        FLOWS.check(frames * np.float32([1e30, 1])[:, None, None], place="x")


def test_values_that_were_divided_twice_and_frames_without_data_are_warned_of() -> None:
    """A forecast of a black film would be delivered without a word."""
    with pytest.warns(UserWarning, match="divided by 255 twice"):
        check_sequences(SHARES, ["a"], GOOD[None] / 256)
    holes = GOOD.copy()
    holes[2] = np.nan
    with pytest.warns(UserWarning, match="sample a of the input: frame 2 of 4 has no data"):
        check_sequences(SHARES, ["a"], holes[None])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sequences(SHARES, ["a", "b"], np.stack([GOOD, 0 * GOOD]))


class Films(Dataset):
    """Two samples; the second has a NaN."""

    metainfo = Metainfo(name="toy", channels=(Channel("brightness", "0-1"),))

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        frames = torch.from_numpy(with_value(np.nan) if index else GOOD)
        return {"inputs": {"frames": frames}, "data_samples": {"frames": frames}}

    def sample_id(self, index: int) -> str:
        return f"film{index}"


@pytest.mark.parametrize("ticket", [1, (3, 1)])
def test_the_sample_of_a_bad_value_is_named_in_training_and_in_tests(ticket: Any) -> None:
    """All scores would be NaN, and nobody could find the sample."""
    films = Seeded(dataset=Films(), seed=0)
    films[0]
    with pytest.raises(DataError, match="sample film1, input frames: 1 of 1,024 values are NaN"):
        films[ticket]


NETS = [
    (method, net)
    for method in (METHODS.get(name) for name in ("DirectForecast", "RecurrentForecast"))
    for net in MODELS.module_dict.values()
    if provides(net, method.interface)
] + [
    (METHODS.get("Segmentation"), net)
    for net in MODELS.module_dict.values()
    if provides(net, DenseModel)
]


@pytest.mark.parametrize(
    ("kind", "net"),
    [
        pytest.param(method, net, id=net.__name__)
        for method, net in NETS
        if net.__module__.startswith("openstl_ext.")
        and {"in_channels", "in_shape"} & {*net.toy_arguments()}
    ],
)
def test_every_net_refuses_frames_of_other_channels_before_it_computes(kind: Any, net: Any) -> None:
    """Users would meet a RuntimeError of torch, or a broadcast."""
    method = toy_method(kind, net)
    batch = kind.toy_batch(2)
    frames = batch["inputs"]["frames"]
    method.net.forward = None  # nothing may be computed
    for mode in ("loss", "predict"):
        batch["inputs"]["frames"] = frames.repeat(1, 1, 3, 1, 1)
        with pytest.raises(ShapeError, match=r"built for in_\w+(\[1\])?=1, but .* 3 channels"):
            method(batch["inputs"], batch["data_samples"], mode=mode)
        batch["inputs"]["frames"] = frames.movedim(2, -1)
        with pytest.raises(ShapeError, match="height x width x channel"):
            method(batch["inputs"], batch["data_samples"], mode=mode)
    with pytest.raises(ShapeError, match="3 channels"):
        Predictor(method, device="cpu")({"frames": frames.repeat(1, 1, 3, 1, 1).numpy()}, 4)


def test_the_rules_of_a_config_are_those_of_its_dataset_and_need_no_data() -> None:
    """Frames from elsewhere would be compared with nothing."""
    rules = rules_of(openstl_ext.load_config("boiling/simvp_gsta_small"))
    assert rules == FrameRules(labels=("temperature",), ranges=((0.0, 1.0),))
    own = {"type": "FrameFolders", "channels": ["u", "v"], "unit": "0-255", "root": "a"}
    config = Config({"test_dataloader": {"dataset": {**own, "split": "test"}}})
    assert rules_of(config) == FrameRules(labels=("u", "v"), ranges=((0.0, 255.0),))
    assert rules_of(Config({})) == FrameRules()
