"""Selection of the backend of a scan, and its log messages."""

import logging

import pytest
import torch

from openstl_ext.ops.selective_scan import BackendError, compiled, dispatch, mamba, selective_scan
from openstl_ext.ops.selective_scan.dispatch import Obstacle
from tests.ops.cases import drawn

CPU, CUDA, SINGLE = torch.device("cpu"), torch.device("cuda"), torch.float32


@pytest.fixture
def obstacles(monkeypatch: pytest.MonkeyPatch) -> dict[str, Obstacle]:
    """Return the backends that a test disables; all others work."""
    obstacles: dict[str, Obstacle] = {}
    monkeypatch.setattr(dispatch, "obstacle", lambda name, *_: obstacles.get(name))
    monkeypatch.setattr(dispatch, "_announced", set())
    return obstacles


def test_the_first_backend_that_works_is_selected(obstacles: dict[str, Obstacle]) -> None:
    """A net would not run without an accelerator, or be slow with one."""
    selected = []
    for name in dispatch.BACKENDS[:-1]:
        selected.append(dispatch.choose(None, CUDA, SINGLE))
        obstacles[name] = Obstacle("not installed")
    assert selected == ["mamba_ssm", "triton", "native", "stepwise"]


def test_the_selected_backend_is_logged_once(
    obstacles: dict[str, Obstacle], caplog: pytest.LogCaptureFixture
) -> None:
    """A fall-back to a slow scan would not be noticed for days."""
    obstacles["mamba_ssm"] = Obstacle("ImportError: undefined symbol", broken=True)
    obstacles["triton"] = Obstacle("not installed")
    with caplog.at_level(logging.INFO, "openstl_ext"):
        for _ in range(3):
            assert dispatch.choose(None, CUDA, SINGLE) == "native"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING, "a backend that is installed but broken is a warning"
    assert record.getMessage() == (
        "selective scan on cuda: native (mamba_ssm ImportError: undefined symbol; "
        "triton not installed)"
    )


def test_an_argument_has_priority_over_the_environment_variable(
    obstacles: dict[str, Obstacle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable would change calls that name their backend."""
    monkeypatch.setenv(dispatch.FORCE, "reference")
    assert dispatch.choose(None, CPU, SINGLE) == "reference"
    assert dispatch.choose("native", CPU, SINGLE) == "native"
    assert dispatch.choose("auto", CPU, SINGLE, dispatch.KERNELS) == "triton", (
        "a traced program cannot use the reference, so the variable has no effect"
    )


def test_a_backend_that_cannot_run_is_an_error_that_lists_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A silent fall-back would give the timing of another backend."""
    tensors, _ = drawn()
    with pytest.raises(BackendError, match=r"'triton' cannot be used: runs on cuda.*stepwise"):
        selective_scan(**tensors, backend="triton")
    with pytest.raises(BackendError, match=r"did you mean 'stepwise'.*Available here: .*reference"):
        selective_scan(**tensors, backend="stepwize")
    with pytest.raises(BackendError, match="'native' cannot be used: computes in float32"):
        selective_scan(**tensors, backend="native")
    monkeypatch.setenv(dispatch.FORCE, "quick")
    with pytest.raises(BackendError, match=f"'quick' .from {dispatch.FORCE}"):
        selective_scan(**tensors)


def test_compilation_can_be_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler would start on shared machines where it must not."""
    monkeypatch.setenv(compiled.OPT_OUT, "1")
    reason = dispatch.obstacle("native", CPU, SINGLE)
    assert reason == "disabled by OPENSTL_EXT_NO_NATIVE"
    assert dispatch.choose(None, CPU, SINGLE) == "stepwise"


def test_a_backend_with_wrong_values_or_errors_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """mamba_ssm imports without its kernel; kernels of other hardware return wrong values."""

    def wrong(*tensors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        out, last = dispatch.selfcheck.reference_scan(*tensors)
        return 1.01 * out, last

    monkeypatch.setattr(mamba, "scan", wrong)
    dispatch._failure.cache_clear()
    with torch.inference_mode():
        assert "a test scan has an error of 1.0e-02" in str(dispatch._failure("mamba_ssm", CPU))

    def fails(*tensors: torch.Tensor) -> None:
        raise OSError("undefined\nsymbol")

    monkeypatch.setattr(mamba, "scan", fails)
    dispatch._failure.cache_clear()
    assert dispatch._failure("mamba_ssm", CPU) == "OSError: undefined symbol"
    dispatch._failure.cache_clear()


def test_mamba_ssm_is_skipped_if_it_would_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its atomics make runs differ, and it drops the gradient of the last state."""
    tensors, _ = drawn()
    offered = []

    def choose(requested: str, device: object, dtype: object, among: tuple[str, ...] = ()) -> str:
        offered.append("mamba_ssm" in among)
        return "reference"

    monkeypatch.setattr(dispatch, "choose", choose)
    selective_scan(**tensors)
    selective_scan(**tensors, return_last_state=True)
    with torch.no_grad():
        selective_scan(**tensors, return_last_state=True)
    torch.use_deterministic_algorithms(True)
    try:
        selective_scan(**tensors)
    finally:
        torch.use_deterministic_algorithms(False)
    assert offered == [True, False, True, False]
