"""Every way to scan says the same: outputs, last state and all gradients."""

from typing import Any

import pytest
import torch

from openstl_ext.errors import ShapeError
from openstl_ext.ops.selective_scan import obstacle, selective_scan
from tests.ops.cases import CASES, drawn, error, everything

CPU = torch.device("cpu")


def need(backend: str, device: torch.device = CPU) -> None:
    """Skip what this machine does not have; a machine with a compiler skips nothing on CPU."""
    if device.type == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    if reason := obstacle(backend, device, torch.float32):
        pytest.skip(f"{backend}: {reason}")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", ["reference", "stepwise", "native"])
def test_a_backend_is_exact_in_single_precision(backend: str, case: str) -> None:
    """A backend that is off trains another model on the machines that happen to choose it."""
    need(backend)
    tensors, settings = drawn(**CASES[case])
    right = everything(selective_scan, tensors, torch.float64, backend="reference", **settings)
    ours = everything(selective_scan, tensors, torch.float32, backend=backend, **settings)
    assert error(ours, right) < 1e-6


@pytest.mark.parametrize("case", CASES)
def test_the_step_loop_is_exact_in_double_precision(case: str) -> None:
    """Rounding hides a wrong term of small size; in float64 there is nowhere to hide."""
    tensors, settings = drawn(**CASES[case])
    right = everything(selective_scan, tensors, torch.float64, backend="reference", **settings)
    ours = everything(selective_scan, tensors, torch.float64, backend="stepwise", **settings)
    assert error(ours, right) < 1e-13


@pytest.mark.parametrize("backend", ["reference", "stepwise"])
def test_gradients_are_those_of_finite_differences(backend: str) -> None:
    """The reference judges the others; somebody must judge the reference."""
    tensors, settings = drawn(**{**CASES["all, grouped"], "length": 4, "channels": 3, "states": 2})
    names = list(tensors)
    leaves = [t.clone().requires_grad_() for t in tensors.values()]

    def call(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        named = dict(zip(names, values, strict=True))
        return selective_scan(**named, **settings, backend=backend)

    assert torch.autograd.gradcheck(call, leaves)


@pytest.mark.parametrize("backend", ["stepwise", "native"])
@pytest.mark.parametrize("bias", [-6.0, 0.0, 5.0, 30.0])
def test_fast_and_slow_decays_lose_no_digits(backend: str, bias: float) -> None:
    """Tricks with cumulated logarithms fail at large steps, some at the first initialisation."""
    need(backend)
    tensors, _ = drawn(length=300, channels=32, states=16)
    tensors["A"] = -torch.arange(1.0, 17, dtype=torch.float64).repeat(32, 1)
    tensors["delta_bias"] = torch.full((32,), bias, dtype=torch.float64)
    tensors = {name: t.float().double() for name, t in tensors.items()}
    settings = {"delta_softplus": True, "return_last_state": True}
    right = everything(selective_scan, tensors, torch.float64, backend="stepwise", **settings)
    ours = everything(selective_scan, tensors, torch.float32, backend=backend, **settings)
    assert error(ours, right) < 1e-6


@pytest.mark.parametrize("backend", ["stepwise", "native"])
def test_equal_inputs_give_equal_bits_whatever_the_threads(backend: str) -> None:
    """A resumed run must not depend on the number of cores of the machine it went on on."""
    need(backend)
    tensors, settings = drawn(**CASES["many channels"])
    threads = torch.get_num_threads()
    results = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            call = everything(selective_scan, tensors, torch.float32, backend=backend, **settings)
            results.append(call)
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(other[name], value) for name, value in results[0].items())


@pytest.mark.parametrize("backend", ["reference", "stepwise", "native"])
def test_autocast_changes_nothing(backend: str) -> None:
    """Eight bits of mantissa in a state that is multiplied a thousand times leave nothing of it."""
    need(backend)
    tensors, settings = drawn(**CASES["all, grouped"])
    plain = everything(selective_scan, tensors, torch.float32, backend=backend, **settings)

    def under_autocast(**arguments: Any) -> tuple[torch.Tensor, ...]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return selective_scan(**arguments)

    cast = everything(under_autocast, tensors, torch.float32, backend=backend, **settings)
    assert all(torch.equal(cast[name], value) for name, value in plain.items())


@pytest.mark.parametrize("backend", ["reference", "stepwise", "native"])
def test_half_precision_is_only_the_form_of_inputs_and_output(backend: str) -> None:
    """Inputs in bfloat16 must be scanned in float32, and gradients come back in their type."""
    need(backend)
    tensors, settings = drawn(**CASES["all"])
    coarse = {name: t.bfloat16().double() for name, t in tensors.items()}
    right = everything(selective_scan, coarse, torch.float32, backend="reference", **settings)
    ours = everything(selective_scan, coarse, torch.bfloat16, backend=backend, **settings)
    assert ours[0].dtype == torch.bfloat16
    assert ours[1].dtype == torch.float32, "the last state stays precise: it is carried on"
    assert error(ours, right) < 2e-2


@pytest.mark.parametrize("backend", ["stepwise", "native"])
def test_strides_do_not_matter(backend: str) -> None:
    """Channels-last nets hand over views; an address without strides would read other numbers."""
    need(backend)
    tensors, settings = drawn(**CASES["all, grouped"])
    right = everything(selective_scan, tensors, torch.float64, backend="reference", **settings)
    leaves = {k: t.float().requires_grad_() for k, t in tensors.items()}
    views = {k: t.transpose(0, -1).contiguous().transpose(0, -1) for k, t in leaves.items()}
    out, last = selective_scan(**views, **settings, backend=backend)
    assert error({0: out.detach(), 1: last.detach()}, {k: right[k] for k in (0, 1)}) < 1e-6


@pytest.mark.parametrize("backend", ["stepwise", "native"])
def test_only_the_gradients_asked_for_are_needed(backend: str) -> None:
    """Frozen decays, or a last state used without the output, are ordinary."""
    need(backend)
    tensors, settings = drawn(**CASES["all"])
    tensors = {name: t.float() for name, t in tensors.items()}
    tensors["u"].requires_grad_()
    _, last = selective_scan(**tensors, **settings, backend=backend)
    (ours,) = torch.autograd.grad(last.sum(), tensors["u"])
    _, last = selective_scan(**tensors, **settings, backend="reference")
    (right,) = torch.autograd.grad(last.sum(), tensors["u"])
    torch.testing.assert_close(ours, right)


@pytest.mark.parametrize("backend", ["stepwise", "native"])
def test_a_nan_stays_visible(backend: str) -> None:
    """A clamp inside an exponential can swallow a NaN, and the run would train on."""
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
    """KTH at patch 2: without saved states it would not fit, with indexed steps not end."""
    need(backend)
    tensors, settings = drawn(length=4096, batch=1, channels=16, states=16)
    everything(selective_scan, tensors, torch.float32, backend=backend, **settings)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"u": torch.zeros(2, 6)}, r"expected u \(B, D, L\)"),
        ({"delta": torch.zeros(2, 6, 9)}, r"ask for delta \(2, 6, 37\)"),
        ({"B": torch.zeros(2, 4, 37)}, r"expected B and C of shape .* got \(2, 4, 37\)"),
        ({"C": torch.zeros(2, 4, 5, 37)}, "6 channels cannot be dealt to 4 groups"),
        ({"D": torch.zeros(1)}, r"expected D \(6,\), got \(1,\)"),
        ({"z": torch.zeros(2, 6, 1)}, "expected z of the shape of u"),
        ({"A": torch.zeros(6, 5, dtype=torch.complex64)}, "real floating-point"),
    ],
)
def test_what_does_not_fit_is_said(wrong: dict[str, torch.Tensor], says: str) -> None:
    """Most of these would broadcast and train on nonsense."""
    tensors, _ = drawn()
    with pytest.raises(ShapeError, match=says):
        selective_scan(**{**tensors, **wrong})


@pytest.mark.gpu
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("backend", ["stepwise", "triton", "mamba_ssm"])
def test_a_backend_is_exact_on_a_gpu(backend: str, case: str) -> None:
    """As on the CPU; mamba_ssm uses the fast exponential, which is good to 1e-5."""
    device = torch.device("cuda")
    need(backend, device)
    tensors, settings = drawn(**CASES[case])
    if backend == "mamba_ssm":
        settings.pop("return_last_state", None)
    tensors = {name: t.to(device) for name, t in tensors.items()}
    right = everything(selective_scan, tensors, torch.float64, backend="reference", **settings)
    ours = everything(selective_scan, tensors, torch.float32, backend=backend, **settings)
    assert error(ours, right) < (1e-4 if backend == "mamba_ssm" else 2e-6)
