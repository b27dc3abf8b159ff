"""Scan in four directions, compared with its definition: flip, transpose, scan, and undo."""

import pytest
import torch
from torch import Tensor

from openstl_ext.errors import ShapeError
from openstl_ext.ops.cross_scan import cross_scan, visiting_order
from openstl_ext.ops.selective_scan import obstacle, selective_scan
from tests.ops.cases import error, outputs_and_gradients

BATCH, CHANNELS, HEIGHT, WIDTH, STATES = 2, 5, 4, 7, 3


def image_tensors(channels: int = CHANNELS) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64)

    return {
        "u": normal(BATCH, channels, HEIGHT, WIDTH),
        "delta": normal(BATCH, 4, channels, HEIGHT, WIDTH),
        "A": -0.1 - normal(4 * channels, STATES).abs(),
        "B": normal(BATCH, 4, STATES, HEIGHT, WIDTH),
        "C": normal(BATCH, 4, STATES, HEIGHT, WIDTH),
        "D": normal(4 * channels),
        "delta_bias": normal(4 * channels),
    }


def by_definition(u: Tensor, delta: Tensor, B: Tensor, C: Tensor, **rest: Tensor) -> Tensor:  # noqa: N803
    """Scan row-major, column-major and both reversed; undo the order before the sum."""

    def sequences(maps: Tensor) -> Tensor:
        rows = [maps[:, 0].flatten(2), maps[:, 1].transpose(2, 3).flatten(2)]
        back = [maps[:, 2].flatten(2).flip(2), maps[:, 3].transpose(2, 3).flatten(2).flip(2)]
        return torch.stack(rows + back, dim=1)

    xs = sequences(u.unsqueeze(1).expand(-1, 4, -1, -1, -1)).flatten(1, 2)
    y = selective_scan(
        xs,
        sequences(delta).flatten(1, 2),
        B=sequences(B),
        C=sequences(C),
        delta_softplus=True,
        backend="reference",
        **rest,
    ).unflatten(1, (4, -1))
    rows, columns = y[:, 0] + y[:, 2].flip(2), y[:, 1] + y[:, 3].flip(2)
    transposed = columns.unflatten(2, (u.shape[3], u.shape[2])).transpose(2, 3)
    return rows.unflatten(2, u.shape[2:]) + transposed


@pytest.mark.parametrize("backend", ["reference", "stepwise", "native", None])
def test_ordered_visits_equal_flipped_copies(backend: str | None) -> None:
    """VMRNN's published weights expect these four paths, on images of any shape."""
    if backend and (reason := obstacle(backend, torch.device("cpu"), torch.float32)):
        pytest.skip(f"{backend}: {reason}")
    tensors = image_tensors(channels=20)
    expected = outputs_and_gradients(by_definition, tensors, torch.float64)
    settings = {"delta_softplus": True, "backend": backend}
    ours = outputs_and_gradients(cross_scan, tensors, torch.float32, **settings)
    assert error(ours, expected) < 1e-6
    if backend in ("stepwise", "reference"):
        ours = outputs_and_gradients(cross_scan, tensors, torch.float64, **settings)
        assert error(ours, expected) < 1e-13


@pytest.mark.gpu
@pytest.mark.parametrize("backend", ["stepwise", "triton", None])
def test_ordered_visits_equal_flipped_copies_on_a_gpu(backend: str | None) -> None:
    """GPUs would compute another model than CPUs."""
    device = torch.device("cuda")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    if backend and (reason := obstacle(backend, device, torch.float32)):
        pytest.skip(f"{backend}: {reason}")
    tensors = {name: t.to(device) for name, t in image_tensors(channels=20).items()}
    expected = outputs_and_gradients(by_definition, tensors, torch.float64)
    settings = {"delta_softplus": True, "backend": backend}
    assert (
        error(outputs_and_gradients(cross_scan, tensors, torch.float32, **settings), expected)
        < 2e-6
    )


def test_every_path_visits_every_pixel_once() -> None:
    """Pixels would be written twice or keep uninitialised memory."""
    order = visiting_order(2, 3)
    assert order.tolist() == [
        [0, 1, 2, 3, 4, 5],
        [0, 3, 1, 4, 2, 5],
        [5, 4, 3, 2, 1, 0],
        [5, 2, 4, 1, 3, 0],
    ]


def test_maps_that_do_not_fit_are_rejected() -> None:
    """Swapped axes of a square image would not be noticed."""
    tensors = image_tensors()
    with pytest.raises(ShapeError, match=r"delta \(B, 4, C, H, W\)"):
        cross_scan(**{**tensors, "delta": tensors["delta"][:, :2]})
