"""STMamba: sizes, variants and input checks."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.unet_encoder import StepLoop
from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers.memory_format import published_order
from openstl_ext.models.st_mamba import STMamba
from openstl_ext.ops.selective_scan import BackendError

GOLDEN = Path(__file__).parents[1] / "parity" / "golden"
TEMPORAL = ("mamba", "gru")
EXPAND = ("linear", "broadcast", "conv")
EACH = pytest.mark.parametrize("expand", EXPAND)
BOTH = pytest.mark.parametrize("temporal", TEMPORAL)


def small(**arguments: Any) -> STMamba:
    torch.manual_seed(0)
    settings = {"in_channels": 2, "num_classes": 3, "widths": (4, 6, 8), "patch_size": 16}
    return STMamba(**settings | arguments)


def size(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@BOTH
@EACH
def test_the_sizes_equal_those_in_the_docstring(temporal: str, expand: str) -> None:
    """The documented table of parameters would be wrong."""
    with torch.device("meta"):
        net = STMamba(in_channels=4, temporal=temporal, expand=expand)
    row = re.search(rf"^\s*{temporal}  .*$", STMamba.__doc__ or "", re.MULTILINE)
    assert row is not None
    cell = re.findall(r"([\d,]+) \(([\d,]+)\)", row[0])[EXPAND.index(expand)]
    assert [size(net), size(net.expand)] == [int(number.replace(",", "")) for number in cell]


@BOTH
@pytest.mark.parametrize("patch_size", [64, 128])
def test_it_has_the_published_size(temporal: str, patch_size: int) -> None:
    """Another number of parameters is another net."""
    models = json.loads((GOLDEN / "full_size_params.json").read_text())["groups"]["ST-Mamba"]
    name = f"SpatioTemporalFusion({temporal}, n_channels=4, n_classes=1, patch_size={patch_size})"
    with torch.device("meta"):
        net = STMamba(in_channels=4, temporal=temporal, patch_size=patch_size)
    assert size(net) == models["models"][name]["n_params"]


@BOTH
@pytest.mark.parametrize("expand", ["broadcast", "conv"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (5, 9, 22), (3, 32, 4)])
def test_without_the_linear_layer_any_size_is_possible(
    temporal: str, expand: str, shape: tuple[int, int, int]
) -> None:
    """Maps are predicted in tiles that are larger than the training patches."""
    length, height, width = shape
    net = small(temporal=temporal, expand=expand).eval()
    logits = net(torch.rand(2, length, 2, height, width))
    assert logits.shape == (2, 3, height, width)
    assert logits.isfinite().all()


@EACH
@pytest.mark.parametrize("fused", ["last", "mean"])
def test_the_fast_order_and_recomputation_equal_the_published_order(
    expand: str, fused: str
) -> None:
    """The faster computation would be another model."""
    frames = torch.randn(3, 5, 2, 16, 16).double()

    def outputs_and_gradients(net: STMamba) -> list[Tensor]:
        logits = net(frames)
        logits.square().mean().backward()
        running = [value for key, value in net.named_buffers() if "running" in key]
        return [logits, *running, *(p.grad for p in net.parameters() if p.ndim == 2)]

    net = small(expand=expand, fused=fused, temporal="gru").double().train()
    loop, again = copy.deepcopy(net), copy.deepcopy(net)
    loop.encoder = StepLoop(net.encoder)
    again.encoder.recompute = True
    with published_order():
        expected = outputs_and_gradients(loop)
    torch.testing.assert_close(outputs_and_gradients(net), expected)
    torch.testing.assert_close(outputs_and_gradients(again), expected)


@BOTH
def test_the_mean_weights_all_outputs_equally(temporal: str) -> None:
    """The fusion of the paper, a mean over time, would be wrong."""
    net = small(temporal=temporal, fused="mean")
    tokens = torch.rand(2, 5, 8)
    outputs = net.fuse.reader(tokens)
    outputs = outputs[0] if temporal == "gru" else outputs
    torch.testing.assert_close(net.fuse(tokens), outputs.sum(dim=1) / 5)
    last = small(temporal=temporal)
    last.load_state_dict(net.state_dict())
    torch.testing.assert_close(last.fuse(tokens), outputs[:, 4])


def test_arguments_are_passed_to_mamba() -> None:
    """An ablation over an argument that has no effect would be wrong."""
    net = small(state_size=5, causal_kernel_size=2, inner_ratio=3, scan_backend="reference")
    reader = net.fuse.reader
    assert reader.decay_log.shape == (24, 5)
    assert reader.conv.conv.kernel_size == (2,)
    assert reader.scan_backend == "reference"
    with pytest.raises(BackendError, match="stepwise"):
        small(scan_backend="abacus")(torch.rand(1, 2, 2, 16, 16))


@BOTH
@EACH
def test_bf16_trains(temporal: str, expand: str) -> None:
    """Vectors in bf16 do not fit a recurrent layer in float32."""
    net = small(temporal=temporal, expand=expand).train()
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(torch.rand(2, 3, 2, 16, 16))
    assert logits.dtype == torch.bfloat16
    logits.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_frames_of_another_size_are_rejected_before_the_encoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error would come after minutes of work."""
    net = small()
    monkeypatch.setattr(net.encoder, "forward", None)
    wrong = r"16 x 16 pixels.*got 16 x 24.*`patch_size`.*expand='broadcast'"
    with pytest.raises(ShapeError, match=wrong):
        net(torch.rand(1, 3, 2, 16, 24))
    with pytest.raises(ShapeError, match=r"frames of 2 channels.*got 3 of 4"):
        net(torch.rand(1, 3, 4, 16, 16))
    with pytest.raises(ShapeError, match=r"at least 4 x 4 pixels; got .* 3 x 16"):
        small(expand="conv")(torch.rand(1, 3, 2, 3, 16))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temporal": "lstm"}, "mamba or gru, got 'lstm'"),
        ({"expand": "crop"}, "linear, broadcast, conv, got 'crop'"),
        ({"fused": "first"}, "last, mean, got 'first'"),
        ({"patch_size": 3}, "at least 4"),
        ({"norm_over": "batch"}, "step, sequence, got 'batch'"),
    ],
)
def test_unknown_values_of_arguments_are_rejected(arguments: dict, message: str) -> None:
    """A typo in a config would select a default."""
    with pytest.raises(ConfigError, match=message):
        small(**arguments)


@pytest.mark.gpu
@pytest.mark.parametrize(("recompute", "fits"), [(True, True), (False, False)])
def test_34_years_of_32_patches_fit_40_gb_with_recomputation_only(
    recompute: bool, fits: bool
) -> None:
    """The published setting would not run on a 40 GB GPU."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    limit = 40e9
    free, _ = torch.cuda.mem_get_info()
    if free < 2.5 * limit:
        pytest.skip("the GPU is too small to measure a peak above the limit")
    net = STMamba(in_channels=4, recompute=recompute).cuda().train()
    torch.cuda.reset_peak_memory_stats()
    optimizer = torch.optim.AdamW(net.parameters())
    for _ in range(2):
        net(torch.rand(32, 34, 4, 128, 128, device="cuda")).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    assert (torch.cuda.max_memory_allocated() < limit) == fits
