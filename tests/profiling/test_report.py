"""Parameters, FLOPs and speed of a method."""

import warnings

import pytest
import torch
from mmengine.config import Config
from torch import Tensor, nn
from torch.nn import functional as F

from openstl_ext.interfaces import DenseModel
from openstl_ext.methods.direct_forecast import DirectForecast
from openstl_ext.methods.segmentation import Segmentation
from openstl_ext.profiling import flops
from openstl_ext.profiling.flops import count_flops, register_flop_handle
from openstl_ext.profiling.recipe import describe
from openstl_ext.profiling.report import count_parameters, in_words, largest_layer, profile
from openstl_ext.registry import DATASETS, MODELS
from tests.quick_timing import QUICK_TIMING

INPUTS = {"frames": torch.rand(2, 4, 1, 8, 8)}


class OneConv(nn.Module):
    """A 3x3 convolution of each frame and a batch norm, whose statistics must not change."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(1, affine=False)

    def forward(self, frames: Tensor) -> Tensor:
        return self.norm(self.conv(frames.flatten(0, 1))).unflatten(0, frames.shape[:2])


def method(net: nn.Module) -> DirectForecast:
    return DirectForecast(net=net, loss={"type": "L2"})


def test_a_multiply_add_counts_one_and_every_block_of_the_horizon_counts() -> None:
    """FLOPs would not compare with published ones, or would omit chained blocks."""
    one_pass = 4 * 8 * 8 * 9
    norm = count_flops(method(nn.Sequential(OneConv())), {"frames": INPUTS["frames"][:1]}, 4).total
    assert norm == one_pass + 4 * 64
    chained = count_flops(method(OneConv()), {"frames": INPUTS["frames"][:1]}, 9).total
    assert chained == 3 * norm


@pytest.mark.parametrize(
    ("norm", "per_value"),
    [
        (nn.BatchNorm2d(6), 2),
        (nn.BatchNorm2d(6, affine=False), 1),
        (nn.GroupNorm(2, 6), 5),
        (nn.LayerNorm([6, 8, 8]), 5),
        (nn.LayerNorm([6, 8, 8], elementwise_affine=False), 4),
        (nn.InstanceNorm2d(6), 4),
        (nn.InstanceNorm2d(6, affine=True), 5),
    ],
    ids=str,
)
def test_normalisation_layers_count_as_the_convention_states(
    norm: nn.Module, per_value: int
) -> None:
    """The column would contain operators that its note does not name."""
    net = nn.Sequential(nn.Flatten(0, 1), norm, nn.Unflatten(0, (1, 4)))
    found = count_flops(method(net), {"frames": torch.rand(1, 4, 6, 8, 8)}, 4)
    assert found.total == per_value * 4 * 6 * 8 * 8
    assert not [name for name in found.uncounted if "norm" in name]
    assert "normalisation layers" in flops.CONVENTION


def test_profiling_does_not_change_the_method() -> None:
    """Profiling would change the statistics of batch norms, as in OpenSTL."""
    probed = method(OneConv()).train()
    before = {name: value.clone() for name, value in probed.state_dict().items()}
    profile(probed, INPUTS, horizon=4)
    assert probed.training
    assert all(m.training for m in probed.modules())
    for name, value in probed.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    assert all(p.grad is None for p in probed.parameters())


def test_the_record_has_what_the_leaderboard_shows() -> None:
    """Columns of the leaderboard would be empty."""
    record = profile(method(OneConv()), INPUTS, horizon=4, batch_size=3)
    assert record["num_parameters"] == 9
    assert record["frames_per_second"] > 0
    assert (record["device"], record["dtype"], record["batch_size"]) == ("cpu", "float32", 3)
    words = in_words(record)
    for part in ("one multiply-add = 1", "not counted", "batch of 3", "cpu"):
        assert part in words
    assert record["latency"] > 0
    for seconds, text in ((0.01234, "12.3 ms"), (2.5, "2.5 s")):
        words = in_words({**record, "latency": seconds, "latency_calls": 5})
        assert f"latency      {text} for one sample (median of 5 calls)" in words


class OnePixel(nn.Module):
    """One logit per pixel, with a multiply-add for each of its values."""

    interface = DenseModel

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(4, 1, 1)

    def forward(self, frames: Tensor) -> Tensor:
        return self.head(frames.flatten(1, 2))


def test_labels_have_no_horizon() -> None:
    """The cost of a label map would depend on an unused argument."""
    labelling = Segmentation(net=OnePixel(), loss={"type": "BCEDice"})
    one, many = (profile(labelling, INPUTS, horizon=h, batch_size=2) for h in (1, 10_000))
    assert one["flops"] == many["flops"] == 4 * 8 * 8
    assert 0.01 < many["frames_per_second"] / one["frames_per_second"] < 100
    assert "labelled samples a second" in in_words(one)
    assert "forecast frames a second" in in_words(profile(method(OneConv()), INPUTS, horizon=4))


def test_a_recipe_of_labels_can_be_profiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """`openstl-ext profile` would fail for datasets with labels."""

    class Sites:
        def __init__(self) -> None:
            pass

        def __getitem__(self, index: int) -> dict:
            target = {"labels": torch.zeros(8, 8, dtype=torch.int64)}
            return {"inputs": {"frames": INPUTS["frames"][index]}, "data_samples": target}

    monkeypatch.setitem(DATASETS.module_dict, "Sites", Sites)
    monkeypatch.setitem(MODELS.module_dict, "OnePixel", OnePixel)
    monkeypatch.setattr(*QUICK_TIMING)
    cfg = Config(
        {
            "model": {
                "type": "Segmentation",
                "net": {"type": "OnePixel"},
                "loss": {"type": "BCEDice"},
            },
            "test_dataloader": {"dataset": {"type": "Sites"}},
            "identity": "sites/pixel",
        }
    )
    from_item = describe(cfg, None, None)
    assert from_item.startswith("sites/pixel: (4, 1, 8, 8) -> labels (an item of the test split)")
    assert describe(cfg, (4, 1, 6, 6), 3).startswith("sites/pixel: (4, 1, 6, 6) -> labels (the ")


class Attention(nn.Module):
    def forward(self, frames: Tensor) -> Tensor:
        tokens = frames.flatten(2).unflatten(-1, (16, 4))  # (B, T, 16, 4)
        return F.scaled_dot_product_attention(tokens, tokens, tokens).reshape(frames.shape)


def test_attention_is_counted() -> None:
    """Transformers would have almost no cost: fvcore counts no attention."""
    counted = count_flops(method(Attention()), {"frames": INPUTS["frames"][:1]}, 4)
    assert counted.total == 4 * 16 * 16 * (4 + 4)
    assert "aten::scaled_dot_product_attention" not in counted.uncounted


class Recurrence(nn.Module):
    """Each pixel is a sequence for two bidirectional layers."""

    def __init__(self, kind: type[nn.GRU | nn.LSTM]) -> None:
        super().__init__()
        self.cell = kind(1, 3, num_layers=2, bidirectional=True, batch_first=True)

    def forward(self, frames: Tensor) -> Tensor:
        tokens = frames.flatten(2).transpose(1, 2).flatten(0, 1)[..., None]  # (B * H * W, T, 1)
        output = self.cell(tokens)[0].mean(dim=-1)
        return output.unflatten(0, (-1, 64)).transpose(1, 2).reshape(frames.shape)


@pytest.mark.parametrize(("kind", "gates"), [(nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrent_layers_are_counted(kind: type[nn.GRU | nn.LSTM], gates: int) -> None:
    """A GRU would have no cost: fvcore has no rule for it."""
    frames = {"frames": INPUTS["frames"][:1]}
    found = count_flops(method(Recurrence(kind)), frames, 4)
    first, second = gates * 3 * (1 + 3), gates * 3 * (2 * 3 + 3)
    assert found.total == 4 * 64 * 2 * (first + second)
    name = f"aten::{kind.__name__.lower()}"
    assert name not in found.uncounted
    ignored = count_flops(method(Recurrence(kind)), frames, 4, unknown=[name])
    assert (ignored.total, ignored.uncounted[name]) == (0, 1)


class Sine(nn.Module):
    def forward(self, frames: Tensor) -> Tensor:
        return frames.sin()


def test_an_operator_without_a_handle_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The cost of a scan or a Fourier transform would be missing unnoticed."""
    frames = {"frames": INPUTS["frames"][:1]}
    assert count_flops(method(Sine()), frames, 4).uncounted == {"aten::sin": 1}
    monkeypatch.setattr(flops, "_HANDLES", {})
    register_flop_handle("aten::sin", lambda *_: 7, column="scan")
    counted = count_flops(method(Sine()), frames, 4)
    assert (counted.total, counted.columns, counted.uncounted) == (0, {"scan": 7}, {})


def test_shared_weights_count_once() -> None:
    """Models with tied weights would look larger than they are."""
    layer = nn.Linear(3, 3, bias=False)
    net = nn.Sequential(layer, layer)
    assert count_parameters(net) == 9
    layer.requires_grad_(False)
    assert count_parameters(net, trainable=True) == 0


def test_the_layer_with_most_parameters_is_named() -> None:
    """It would not be visible that a net of 78 M parameters is mainly one table."""
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 100)))
    assert largest_layer(net) == {"name": "1.1", "type": "Linear", "num_parameters": 400}
    record = profile(method(OneConv()), INPUTS, horizon=4)
    assert "of which     0.00 M (100%) in net.conv, one Conv2d" in in_words(record)
    assert largest_layer(nn.Sequential(nn.Linear(4, 5), nn.Linear(4, 5))) is None
    record["largest_layer"] = None
    assert "of which" not in in_words(record)


def test_profiling_is_silent() -> None:
    """Each test run would print many tracer warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        count_flops(method(OneConv()), INPUTS, 4)
