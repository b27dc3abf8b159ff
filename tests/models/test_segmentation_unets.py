"""U-Nets over image series: sizes, shapes and input checks."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers.memory_format import published_order
from openstl_ext.models.convgru_unet import ConvGRUUNet
from openstl_ext.models.convlstm_unet import ConvLSTMUNet
from openstl_ext.models.pixel_logistic import PixelLogistic
from openstl_ext.models.unet_2plus1d import UNet2Plus1D

SMALL: dict[str, Any] = {"in_channels": 2, "num_classes": 3}
NETS = {
    "UNet2Plus1D": lambda **more: UNet2Plus1D(
        widths=(4, 6, 8), time_strides=(1, 2), **SMALL | more
    ),
    "ConvGRUUNet": lambda **more: ConvGRUUNet(widths=(4, 6, 8), **SMALL | more),
    "ConvLSTMUNet": lambda **more: ConvLSTMUNet(widths=(4, 6, 8), **SMALL | more),
    "ConvLSTMViT": lambda **more: ConvLSTMUNet(
        widths=(4, 6, 8), num_heads=2, mlp_channels=6, dropout_prob=0.0, **SMALL | more
    ),
}
ALL = pytest.mark.parametrize("make", NETS.values(), ids=NETS.keys())


@pytest.mark.parametrize(
    ("build", "size"),
    [
        (lambda: UNet2Plus1D(in_channels=4), 11_076_993),
        (lambda: ConvGRUUNet(in_channels=4), 28_138_561),
        (lambda: ConvLSTMUNet(in_channels=4), 34_406_401),
        (lambda: ConvLSTMUNet(in_channels=4, num_heads=8), 37_558_785),
        (lambda: PixelLogistic(in_channels=4, num_steps=34), 4 * 34 + 1),
    ],
    ids=["UNet2Plus1D", "ConvGRUUNet", "ConvLSTMUNet", "ConvLSTMViT", "PixelLogistic"],
)
def test_it_has_the_published_size(build: Any, size: int) -> None:
    """Another number of parameters is another net."""
    with torch.device("meta"):
        assert sum(p.numel() for p in build().parameters()) == size


@ALL
@pytest.mark.parametrize(("length", "height", "width"), [(2, 8, 8), (5, 9, 14), (7, 13, 7)])
def test_any_number_of_frames_and_any_size_is_possible(
    make: Any, length: int, height: int, width: int
) -> None:
    """Tiles at the edge of a raster and series with missing years could not be predicted."""
    net = make().eval()
    logits = net(torch.rand(2, length, 2, height, width))
    assert logits.shape == (2, 3, height, width)
    assert logits.isfinite().all()


@ALL
def test_the_fast_order_equals_the_published_order(make: Any) -> None:
    """Computing all steps at once would change outputs or gradients."""
    torch.manual_seed(0)
    net = make().double().train()
    frames = torch.rand(2, 5, 2, 12, 10).double()

    def outputs_and_gradients() -> list[Tensor]:
        net.zero_grad()
        logits = net(frames)
        logits.square().mean().backward()
        return [logits, *(p.grad for p in net.parameters())]

    ours = outputs_and_gradients()
    with published_order():
        theirs = outputs_and_gradients()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-10)


@ALL
def test_every_frame_changes_the_output(make: Any) -> None:
    """A net that uses only its last frame would be reported as temporal."""
    torch.manual_seed(0)
    net = make().eval()
    frames = torch.rand(1, 4, 2, 8, 8, requires_grad=True)
    net(frames).square().sum().backward()
    assert (frames.grad.abs().amax(dim=(0, 2, 3, 4)) > 0).all()


@ALL
def test_every_weight_has_a_gradient_in_bf16(make: Any) -> None:
    """A cast in the wrong place would cut the graph or change the loss."""
    torch.manual_seed(0)
    net = make().train()
    frames = torch.rand(4, 4, 2, 16, 16)
    losses = []
    for enabled in (False, True):
        net.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            logits = net(frames)
        loss = logits.float().square().mean()
        loss.backward()
        losses.append(loss.item())
        assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


@ALL
def test_frames_that_do_not_fit_are_rejected(make: Any) -> None:
    """The message of torch, `output size is too small`, does not name the cause."""
    name = type(make()).__name__
    with pytest.raises(ShapeError, match=rf"{name} needs .* of 2 channels .* 4 x 4 .* 3 x 16"):
        make()(torch.rand(1, 4, 2, 3, 16))
    with pytest.raises(ShapeError, match=r"of 2 channels .*; got 4 of 5 channels and 16 x 16"):
        make()(torch.rand(1, 4, 5, 16, 16))


def test_too_few_frames_for_the_pools_are_rejected() -> None:
    """A pool would reduce the time axis to zero."""
    with pytest.raises(ShapeError, match=r"at least 4 frames .* got 3 of 1 channels"):
        UNet2Plus1D(in_channels=1, widths=(2, 2, 2), time_strides=(2, 2))(torch.rand(1, 3, 1, 8, 8))


def test_aligned_growth_of_time_needs_no_cropping() -> None:
    """The concatenated frames would be of different years, as in the published variant."""
    net = UNet2Plus1D(
        in_channels=1, widths=(2, 2, 4), time_strides=(1, 2), time_growth="aligned"
    ).eval()
    assert [tuple(up.up.stride) for up in net.ups] == [(2, 2, 2), (1, 2, 2)]
    assert net(torch.rand(1, 4, 1, 8, 8)).shape == (1, 1, 8, 8)
    with pytest.raises(ConfigError, match=r"published or aligned, got 'right'"):
        UNet2Plus1D(in_channels=1, time_growth="right")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"5 widths need 4 strides, got 3"):
        UNet2Plus1D(in_channels=1, time_strides=(1, 2, 2))


def test_recomputation_changes_no_gradient_and_no_statistic() -> None:
    """A run with less memory would train another net."""
    frames = torch.rand(2, 3, 2, 8, 8)
    found = []
    for recompute in (False, True):
        torch.manual_seed(0)
        net = ConvGRUUNet(widths=(4, 6), recompute=recompute, **SMALL).train()
        net(frames).square().mean().backward()
        found.append([*(p.grad for p in net.parameters()), *net.buffers()])
    for kept, again in zip(*found, strict=True):
        torch.testing.assert_close(kept, again)


def test_pixel_logistic_depends_on_one_pixel_only() -> None:
    """The baseline without spatial context would use it."""
    torch.manual_seed(0)
    net = PixelLogistic(in_channels=2, num_steps=3, num_classes=4)
    nn.init.normal_(net.read.weight)
    frames = torch.rand(1, 3, 2, 5, 6)
    other = frames.clone()
    other[..., 2, 3] += 1
    changed = (net(frames) - net(other)).abs().amax(dim=(0, 1)) > 0
    assert changed.sum() == 1
    assert changed[2, 3]
    with pytest.raises(ShapeError, match="3 frames of 2 channels; got 2 of 3"):
        net(torch.rand(1, 2, 3, 5, 6))
