"""Which scan runs, and what is said about it."""

import logging

import pytest
import torch

from openstl_ext.ops.selective_scan import BackendError, compiled, dispatch, mamba, selective_scan
from openstl_ext.ops.selective_scan.dispatch import Obstacle
from tests.ops.cases import drawn

CPU, CUDA, SINGLE = torch.device("cpu"), torch.device("cuda"), torch.float32


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> dict[str, Obstacle]:
    """A machine on which everything works but what a test breaks."""
    obstacles: dict[str, Obstacle] = {}
    monkeypatch.setattr(dispatch, "obstacle", lambda name, *_: obstacles.get(name))
    monkeypatch.setattr(dispatch, "_announced", set())
    return obstacles


def test_the_fastest_that_works_is_chosen(world: dict[str, Obstacle]) -> None:
    """A net must run where no accelerator is, and not be slow where one is."""
    seen = []
    for name in dispatch.BACKENDS[:-1]:
        seen.append(dispatch.choose(None, CUDA, SINGLE))
        world[name] = Obstacle("is away")
    assert seen == ["mamba_ssm", "triton", "native", "stepwise"]


def test_the_choice_is_said_once(
    world: dict[str, Obstacle], caplog: pytest.LogCaptureFixture
) -> None:
    """A silent fall-back costs days of training before somebody looks."""
    world["mamba_ssm"] = Obstacle("ImportError: undefined symbol", broken=True)
    world["triton"] = Obstacle("not installed")
    with caplog.at_level(logging.INFO, "openstl_ext"):
        for _ in range(3):
            assert dispatch.choose(None, CUDA, SINGLE) == "native"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING, "installed but unusable is worth a warning"
    assert record.getMessage() == (
        "selective scan on cuda: native (mamba_ssm ImportError: undefined symbol; "
        "triton not installed)"
    )


def test_a_name_beats_the_environment_which_beats_the_choice(
    world: dict[str, Obstacle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the code was meant; the variable is for runs that leave it open."""
    monkeypatch.setenv(dispatch.FORCE, "reference")
    assert dispatch.choose(None, CPU, SINGLE) == "reference"
    assert dispatch.choose("native", CPU, SINGLE) == "native"
    assert dispatch.choose("auto", CPU, SINGLE, dispatch.KERNELS) == "triton", (
        "a traced program cannot use the reference, so the variable does not bind it"
    )


def test_a_backend_that_is_not_there_is_an_error_that_lists_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Falling back in silence from what was asked for would publish the wrong timing."""
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


def test_compiling_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """On shared machines a compiler that starts unasked is a nuisance."""
    monkeypatch.setenv(compiled.OPT_OUT, "1")
    reason = dispatch.obstacle("native", CPU, SINGLE)
    assert reason == "switched off by OPENSTL_EXT_NO_NATIVE"
    assert dispatch.choose(None, CPU, SINGLE) == "stepwise"


def test_an_import_that_works_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """mamba_ssm imports without its kernel, and kernels of other hardware return nonsense."""

    def wrong(*tensors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        out, last = dispatch.selfcheck.reference_scan(*tensors)
        return 1.01 * out, last

    monkeypatch.setattr(mamba, "scan", wrong)
    dispatch._failure.cache_clear()
    with torch.inference_mode():
        assert "a test scan came out wrong by 1.0e-02" in str(dispatch._failure("mamba_ssm", CPU))

    def fails(*tensors: torch.Tensor) -> None:
        raise OSError("undefined\nsymbol")

    monkeypatch.setattr(mamba, "scan", fails)
    dispatch._failure.cache_clear()
    assert dispatch._failure("mamba_ssm", CPU) == "OSError: undefined symbol"
    dispatch._failure.cache_clear()


def test_mamba_ssm_is_passed_over_where_it_would_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """It adds with atomics, so runs differ, and it drops the gradient of the last state."""
    tensors, _ = drawn()
    offered = []

    def choose(wanted: str, device: object, dtype: object, among: tuple[str, ...] = ()) -> str:
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
