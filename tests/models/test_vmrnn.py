"""VMRNN-B and VMRNN-D, one step at a time."""

import pytest
import torch

from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.models.vmrnn import VMRNNB, VMRNND, drop_path_ramp
from openstl_ext.ops.selective_scan import BackendError
from tests.toy_net import toy_net


def size(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    ("cls", "arguments", "published", "unused"),
    [
        (VMRNNB, {"in_channels": 2, "depths": (12,), "patch_size": 4}, 2_579_970, 361_856),
        (VMRNNB, {"in_channels": 1, "depths": (6,), "patch_size": 2}, 1_214_721, 164_480),
        (
            VMRNND,
            {"in_channels": 1, "depths_down": (2, 2), "depths_up": (2, 2)},
            9_674_113,
            821_248,
        ),
        (
            VMRNND,
            {"in_channels": 1, "depths_down": (2, 6), "depths_up": (2, 6)},
            15_267_201,
            1_871_872,
        ),
    ],
    ids=["B-taxibj", "B-kth", "D-2222", "D-2662"],
)
def test_they_have_the_published_sizes_without_unused_weights(
    cls: type, arguments: dict, published: int, unused: int
) -> None:
    """Another number of parameters is another net."""
    with torch.device("meta"):
        net = cls(**arguments)
    assert size(net) == published - unused


@pytest.mark.parametrize("patch_size", [1, 2, 3, 4, 6, 8, 16])
def test_any_patch_gives_a_frame_of_the_input_size(patch_size: int) -> None:
    """The second step would fail for patches of 1 and 16, as upstream."""
    net = VMRNNB(in_channels=2, channels=16, depths=(1,), patch_size=patch_size).eval()
    frame = torch.rand(1, 2, 2 * patch_size, 3 * patch_size)
    with torch.no_grad():
        first, state = net(frame, None)
        second, _ = net(first, state)
    assert first.shape == second.shape == frame.shape
    assert 0 <= first.min() <= first.max() <= 1


def test_every_pixel_of_a_patch_is_written() -> None:
    """Pixels between the kernels would contain the bias only."""
    for patch_size in (1, 2, 3, 5, 8):
        net = VMRNNB(in_channels=1, channels=16, depths=(1,), patch_size=patch_size).eval()
        with torch.no_grad():
            for parameter in net.inflate.read.parameters():
                parameter.fill_(1.0)
            frame = torch.rand(1, 1, 2 * patch_size, 2 * patch_size)
            one, _ = net(frame, None)
            net.inflate.read.weight.fill_(-1.0)
            other, _ = net(frame, None)
        assert (one != other).all(), patch_size


@pytest.mark.parametrize(("down", "up"), [((1,), (1,)), ((2, 1), (1, 2)), ((1, 1, 1), (1, 1, 1))])
def test_any_list_of_depths_runs_on_any_shape(down: tuple, up: tuple) -> None:
    """Only the published setting, two stages on squares, would run."""
    net = VMRNND(in_channels=1, channels=16, depths_down=down, depths_up=up, patch_size=2).eval()
    frame = torch.rand(1, 1, 16, 32)
    with torch.no_grad():
        first, state = net(frame, None)
        second, _ = net(first, state)
    assert second.shape == frame.shape
    assert len(state) == len(down) + len(up)


def test_drop_path_rises_towards_the_coarsest_map() -> None:
    """The rates would be assigned in the reverse of upstream's order."""
    net = VMRNND(
        in_channels=1, channels=16, depths_down=(1, 2), depths_up=(2, 1), drop_path_prob=0.2
    )
    for cells, expected in (
        (net.down_cells, [[0.0], [0.1, 0.2]]),
        (net.up_cells, [[0.1, 0.2], [0.0]]),
    ):
        found = [[block.drop_path.prob for block in cell.blocks] for cell in cells]
        assert found == [pytest.approx(stage) for stage in expected]
    assert drop_path_ramp(0.1, (1, 2)) == [[0.0], pytest.approx([0.05, 0.1])]


def test_only_the_first_block_of_a_cell_has_weights_for_the_memory() -> None:
    """Unused weights of the other blocks would make DDP hang."""
    (cell,) = VMRNNB(in_channels=1, channels=16, depths=(3,)).cells
    assert [block.mix is not None for block in cell.blocks] == [True, False, False]


def test_invalid_arguments_and_sizes_are_rejected() -> None:
    """Wrong types, different numbers of stages and sizes that do not divide would fail later."""
    with pytest.raises(ConfigError, match=r"write \[12\]"):
        VMRNNB(in_channels=1, depths=12)
    with pytest.raises(ConfigError, match="at least one block"):
        VMRNNB(in_channels=1, depths=(2, 0))
    with pytest.raises(ConfigError, match="2 stages and depths_up 1"):
        VMRNND(in_channels=1, depths_down=(1, 1), depths_up=(1,))
    with pytest.raises(ConfigError, match="multiple of 16, got 24"):
        VMRNNB(in_channels=1, channels=24, patch_size=4)
    with pytest.raises(ShapeError, match="multiples of 4; got 16 x 18"):
        toy_net(VMRNNB)(torch.rand(1, 1, 16, 18), None)
    with pytest.raises(ShapeError, match="multiples of 8; got 12 x 16"):
        toy_net(VMRNND)(torch.rand(1, 1, 12, 16), None)


def test_a_config_can_select_the_scan_backend() -> None:
    """An error of a kernel could not be distinguished from an error of the net."""
    torch.manual_seed(0)
    common = {"in_channels": 1, "channels": 16, "depths": (2,), "drop_path_prob": 0.0}
    default = VMRNNB(**common)
    frame = torch.rand(1, 1, 8, 12)
    expected, _ = default(frame, None)
    for backend in ("reference", "stepwise"):
        chosen = VMRNNB(**common, scan_backend=backend)
        chosen.load_state_dict(default.state_dict())
        torch.testing.assert_close(chosen(frame, None)[0], expected)
    with pytest.raises(BackendError, match="stepwise"):
        VMRNNB(**common, scan_backend="abacus")(frame, None)
