"""U-Nets over image series: sizes, shapes, and what they refuse."""

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
    """A size that differs is another net."""
    with torch.device("meta"):
        assert sum(p.numel() for p in build().parameters()) == size


@ALL
@pytest.mark.parametrize(("length", "height", "width"), [(2, 8, 8), (5, 9, 14), (7, 13, 7)])
def test_any_number_of_frames_and_any_size_will_do(
    make: Any, length: int, height: int, width: int
) -> None:
    """Rasters are cut where they end, and years are missing."""
    net = make().eval()
    logits = net(torch.rand(2, length, 2, height, width))
    assert logits.shape == (2, 3, height, width)
    assert logits.isfinite().all()


@ALL
def test_the_order_of_computation_changes_nothing(make: Any) -> None:
    """What runs on all steps at once, and on views, must be the published net, gradients too."""
    torch.manual_seed(0)
    net = make().double().train()
    frames = torch.rand(2, 5, 2, 12, 10).double()

    def answer() -> list[Tensor]:
        net.zero_grad()
        logits = net(frames)
        logits.square().mean().backward()
        return [logits, *(p.grad for p in net.parameters())]

    ours = answer()
    with published_order():
        theirs = answer()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-10)


@ALL
def test_every_frame_counts(make: Any) -> None:
    """A temporal net that reads its last frame only would pass for one."""
    torch.manual_seed(0)
    net = make().eval()
    frames = torch.rand(1, 4, 2, 8, 8, requires_grad=True)
    net(frames).square().sum().backward()
    assert (frames.grad.abs().amax(dim=(0, 2, 3, 4)) > 0).all()


@ALL
def test_bf16_reaches_every_weight(make: Any) -> None:
    """Under autocast a cast in the wrong place cuts the graph, or a loss drifts off unseen."""
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
def test_frames_that_do_not_fit_are_refused(make: Any) -> None:
    """Deep inside, the same mistakes say `output size is too small`."""
    name = type(make()).__name__
    with pytest.raises(ShapeError, match=rf"{name} takes .* of 2 channels .* 4 x 4 .* 3 x 16"):
        make()(torch.rand(1, 4, 2, 3, 16))
    with pytest.raises(ShapeError, match=r"of 2 channels .*; got 4 of 5 channels and 16 x 16"):
        make()(torch.rand(1, 4, 5, 16, 16))


def test_too_few_frames_for_the_pools_are_refused() -> None:
    """Half of one frame is none."""
    with pytest.raises(ShapeError, match=r"4 or more frames .* got 3 of 1 channels"):
        UNet2Plus1D(in_channels=1, widths=(2, 2, 2), time_strides=(2, 2))(torch.rand(1, 3, 1, 8, 8))


def test_time_that_grows_as_it_shrank_needs_no_cropping() -> None:
    """The published way crops time, and lays frames of different years side by side."""
    net = UNet2Plus1D(
        in_channels=1, widths=(2, 2, 4), time_strides=(1, 2), time_growth="aligned"
    ).eval()
    assert [tuple(up.up.stride) for up in net.ups] == [(2, 2, 2), (1, 2, 2)]
    assert net(torch.rand(1, 4, 1, 8, 8)).shape == (1, 1, 8, 8)
    with pytest.raises(ConfigError, match=r"published or aligned, not 'right'"):
        UNet2Plus1D(in_channels=1, time_growth="right")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"5 widths need 4 strides, not 3"):
        UNet2Plus1D(in_channels=1, time_strides=(1, 2, 2))


def test_recomputing_changes_no_number() -> None:
    """Memory is saved, and weights, running statistics and all stay as they would be."""
    frames = torch.rand(2, 3, 2, 8, 8)
    found = []
    for recompute in (False, True):
        torch.manual_seed(0)
        net = ConvGRUUNet(widths=(4, 6), recompute=recompute, **SMALL).train()
        net(frames).square().mean().backward()
        found.append([*(p.grad for p in net.parameters()), *net.buffers()])
    for kept, again in zip(*found, strict=True):
        torch.testing.assert_close(kept, again)


def test_a_logistic_pixel_knows_nothing_of_its_neighbours() -> None:
    """It is the baseline because it sees no space."""
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
