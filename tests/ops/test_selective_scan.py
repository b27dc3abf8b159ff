"""All backends of the scan agree: outputs, last state and all gradients."""

from typing import Any

import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.ops.selective_scan import obstacle, selective_scan
from tests.ops.cases import CASES, drawn, error, outputs_and_gradients

CPU = torch.device("cpu")


def need(backend: str, device: torch.device = CPU) -> None:
    """Skip a test if its backend cannot run on this machine."""
    if device.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    if reason := obstacle(backend, device, torch.float32):
        pytest.skip(f"{backend}: {reason}")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", ["reference", "stepwise", "native"])
def test_a_backend_is_exact_in_single_precision(backend: str, case: str) -> None:
    """Machines with different backends would train different models."""
    need(backend)
    tensors, settings = drawn(**CASES[case])
    expected = outputs_and_gradients(
        selective_scan, tensors, torch.float64, backend="reference", **settings
    )
    ours = outputs_and_gradients(
        selective_scan, tensors, torch.float32, backend=backend, **settings
    )
    assert error(ours, expected) < 1e-6


@pytest.mark.parametrize("case", CASES)
def test_the_step_loop_is_exact_in_double_precision(case: str) -> None:
    """A small wrong term would be hidden by the rounding of float32."""
    tensors, settings = drawn(**CASES[case])
    expected = outputs_and_gradients(
        selective_scan, tensors, torch.float64, backend="reference", **settings
    )
    ours = outputs_and_gradients(
        selective_scan, tensors, torch.float64, backend="stepwise", **settings
    )
    assert error(ours, expected) < 1e-13


@pytest.mark.parametrize("backend", ["reference", "stepwise"])
def test_gradients_equal_finite_differences(backend: str) -> None:
    """The reference, with which all backends are compared, would be wrong."""
    tensors, settings = drawn(**{**CASES["all, grouped"], "length": 4, "channels": 3, "states": 2})
    names = list(tensors)
    leaves = [t.clone().requires_grad_() for t in tensors.values()]

    def call(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        named = dict(zip(names, values, strict=True))
        return selective_scan(**named, **settings, backend=backend)

    assert torch.autograd.gradcheck(call, leaves)


@pytest.mark.parametrize("backend", ["stepwise", "native"])
@pytest.mark.parametrize("bias", [-6.0, 0.0, 5.0, 30.0])
def test_fast_and_slow_decays_keep_full_precision(backend: str, bias: float) -> None:
    """Methods with cumulative logarithms fail at large steps, some from the first iteration."""
    need(backend)
    tensors, _ = drawn(length=300, channels=32, states=16)
    tensors["A"] = -torch.arange(1.0, 17, dtype=torch.float64).repeat(32, 1)
    tensors["delta_bias"] = torch.full((32,), bias, dtype=torch.float64)
    tensors = {name: t.float().double() for name, t in tensors.items()}
    settings = {"delta_softplus": True, "return_last_state": True}
    expected = outputs_and_gradients(
        selective_scan, tensors, torch.float64, backend="stepwise", **settings
    )
    ours = outputs_and_gradients(
        selective_scan, tensors, torch.float32, backend=backend, **settings
    )
    assert error(ours, expected) < 1e-6


@pytest.mark.parametrize("backend", ["stepwise", "native"])
def test_results_do_not_depend_on_the_number_of_threads(backend: str) -> None:
    """A run resumed on another machine would give other results."""
    need(backend)
    tensors, settings = drawn(**CASES["many channels"])
    threads = torch.get_num_threads()
    results = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            call = outputs_and_gradients(
                selective_scan, tensors, torch.float32, backend=backend, **settings
            )
            results.append(call)
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(other[name], value) for name, value in results[0].items())


@pytest.mark.parametrize("backend", ["reference", "stepwise", "native"])
def test_autocast_does_not_change_the_result(backend: str) -> None:
    """A state in bfloat16 would lose its content over a thousand steps."""
    need(backend)
    tensors, settings = drawn(**CASES["all, grouped"])
    plain = outputs_and_gradients(
        selective_scan, tensors, torch.float32, backend=backend, **settings
    )

    def under_autocast(**arguments: Any) -> tuple[torch.Tensor, ...]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return selective_scan(**arguments)

    cast = outputs_and_gradients(
        under_autocast, tensors, torch.float32, backend=backend, **settings
    )
    assert all(torch.equal(cast[name], value) for name, value in plain.items())


@pytest.mark.parametrize("backend", ["reference", "stepwise", "native"])
def test_bfloat16_inputs_are_scanned_in_float32(backend: str) -> None:
    """The state would lose precision, or gradients would have another type than their inputs."""
    need(backend)
    tensors, settings = drawn(**CASES["all"])
    coarse = {name: t.bfloat16().double() for name, t in tensors.items()}
    expected = outputs_and_gradients(
        selective_scan, coarse, torch.float32, backend="reference", **settings
    )
    ours = outputs_and_gradients(
        selective_scan, coarse, torch.bfloat16, backend=backend, **settings
    )
    assert ours[0].dtype == torch.bfloat16
    assert ours[1].dtype == torch.float32, "the last state is the input of the next scan"
    assert error(ours, expected) < 2e-2


@pytest.mark.parametrize("backend", ["stepwise", "native"])
def test_views_give_the_same_result(backend: str) -> None:
    """Kernels without strides would read wrong values from channels-last maps."""
    need(backend)
    tensors, settings = drawn(**CASES["all, grouped"])
    expected = outputs_and_gradients(
        selective_scan, tensors, torch.float64, backend="reference", **settings
    )
    leaves = {k: t.float().requires_grad_() for k, t in tensors.items()}
    views = {k: t.transpose(0, -1).contiguous().transpose(0, -1) for k, t in leaves.items()}
    out, last = selective_scan(**views, **settings, backend=backend)
    assert error({0: out.detach(), 1: last.detach()}, {k: expected[k] for k in (0, 1)}) < 1e-6


@pytest.mark.parametrize("backend", ["stepwise", "native"])
def test_only_the_requested_gradients_are_needed(backend: str) -> None:
    """Nets with frozen decays, or that use only the last state, would fail."""
    need(backend)
    tensors, settings = drawn(**CASES["all"])
    tensors = {name: t.float() for name, t in tensors.items()}
    tensors["u"].requires_grad_()
    _, last = selective_scan(**tensors, **settings, backend=backend)
    (ours,) = torch.autograd.grad(last.sum(), tensors["u"])
    _, last = selective_scan(**tensors, **settings, backend="reference")
    (expected,) = torch.autograd.grad(last.sum(), tensors["u"])
    torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("backend", ["stepwise", "native"])
def test_a_nan_is_not_hidden(backend: str) -> None:
    """A clamp inside an exponential would hide NaN, and the run would continue."""
    need(backend)
    tensors, _ = drawn()
    tensors = {name: t.float() for name, t in tensors.items()}
    tensors["delta"][0, 0, 3] = torch.nan
    out = selective_scan(**tensors, backend=backend)
    assert out[0, 0, 3:].isnan().all()
    assert out[0, 0, :3].isfinite().all()
    assert out[1].isfinite().all()


@pytest.mark.parametrize("backend", ["stepwise", "native"])
def test_a_scan_of_four_thousand_positions_trains(backend: str) -> None:
    """KTH at patch 2 would need too much memory without saved states."""
    need(backend)
    tensors, settings = drawn(length=4096, batch=1, channels=16, states=16)
    outputs_and_gradients(selective_scan, tensors, torch.float32, backend=backend, **settings)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"u": torch.zeros(2, 6)}, r"expected u \(B, D, L\)"),
        ({"delta": torch.zeros(2, 6, 9)}, r"delta must be \(2, 6, 37\)"),
        ({"B": torch.zeros(2, 4, 37)}, r"expected B and C of shape .* got \(2, 4, 37\)"),
        ({"C": torch.zeros(2, 4, 5, 37)}, "6 channels cannot be divided into 4 groups"),
        ({"D": torch.zeros(1)}, r"expected D \(6,\), got \(1,\)"),
        ({"z": torch.zeros(2, 6, 1)}, "expected z of the shape of u"),
        ({"A": torch.zeros(6, 5, dtype=torch.complex64)}, "real floating-point"),
    ],
)
def test_shapes_that_do_not_fit_are_rejected(wrong: dict[str, torch.Tensor], message: str) -> None:
    """Most of these shapes would broadcast and train a wrong model."""
    tensors, _ = drawn()
    with pytest.raises(ShapeError, match=message):
        selective_scan(**{**tensors, **wrong})


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", ["stepwise", "triton", "mamba_ssm"])
def test_a_backend_is_exact_on_a_gpu(backend: str, case: str) -> None:
    """GPUs would train another model; mamba_ssm's fast exponential is exact to 1e-5."""
    device = torch.device("cuda")
    need(backend, device)
    tensors, settings = drawn(**CASES[case])
    if backend == "mamba_ssm":
        settings.pop("return_last_state", None)
    tensors = {name: t.to(device) for name, t in tensors.items()}
    expected = outputs_and_gradients(
        selective_scan, tensors, torch.float64, backend="reference", **settings
    )
    ours = outputs_and_gradients(
        selective_scan, tensors, torch.float32, backend=backend, **settings
    )
    assert error(ours, expected) < (1e-4 if backend == "mamba_ssm" else 2e-6)
