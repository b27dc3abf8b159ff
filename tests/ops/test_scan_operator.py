"""The scan as an operator: traces, exports, compilation and FLOP counts."""

import io

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from torch import Tensor, nn

from openstl_ext.ops.cross_scan import cross_scan
from openstl_ext.ops.selective_scan import (
    OPERATORS,
    dispatch,
    scan_flop_handle,
    scan_flops,
    selective_scan,
)
from tests.ops.cases import BATCH, CHANNELS, LENGTH, STATES, drawn


class Layer(nn.Module):
    """A net around a scan, with two of its options."""

    def __init__(self) -> None:
        super().__init__()
        tensors, _ = drawn()
        self.A = nn.Parameter(tensors["A"].float())
        self.D = nn.Parameter(torch.ones(CHANNELS))

    def forward(self, u: Tensor, delta: Tensor, B: Tensor, C: Tensor) -> Tensor:  # noqa: N803
        return 2 * selective_scan(u, delta, self.A, B, C, self.D, delta_softplus=True)


class ImageLayer(nn.Module):
    def forward(self, u: Tensor) -> Tensor:
        four = u.unsqueeze(1).expand(-1, 4, -1, -1, -1)
        decay = -torch.ones(4 * u.shape[1], 2)
        return cross_scan(u, four, decay, four[:, :, :2], four[:, :, :2], delta_softplus=True)


def inputs() -> tuple[Tensor, ...]:
    tensors, _ = drawn()
    return tuple(tensors[name].float() for name in ("u", "delta", "B", "C"))


def test_flops_follow_the_published_formula() -> None:
    """Costs of a net with scans could not be compared with published figures."""
    assert scan_flops(batch=2, length=3, channels=5, num_states=7) == 9 * 2 * 3 * 5 * 7
    with_all = scan_flops(batch=2, length=3, channels=5, num_states=7, skip=True, gate=5)
    assert with_all == 9 * 210 + 2 * 3 * 5 * 2


def counted(layer: nn.Module, arguments: tuple[Tensor, ...]) -> int:
    analysis = FlopCountAnalysis(layer, arguments).unsupported_ops_warnings(False)
    for operator in OPERATORS:
        analysis.set_op_handle(operator, scan_flop_handle)
    assert set(analysis.by_operator()) <= {"selective_scan"}, "the scan is one node"
    return analysis.by_operator()["selective_scan"]


def test_a_flop_counter_counts_the_scan() -> None:
    """A trace would contain the loop of the scan, or nothing."""
    dispatch._failure.cache_clear()  # the check of a kernel must stay out of a trace
    elements = BATCH * LENGTH * CHANNELS
    assert counted(Layer(), inputs()) == elements * (9 * STATES + 1)
    image = torch.zeros(1, 3, 4, 5)
    assert counted(ImageLayer(), (image,)) == 9 * 20 * (4 * 3) * 2, "all four directions count"


def test_the_operator_passes_the_checks_of_torch() -> None:
    """A wrong fake or a hidden alias would corrupt results of compiled nets."""
    tensors, _ = drawn(options=("D", "z"))
    tensors = {name: t.float().requires_grad_() for name, t in tensors.items()}
    weights = [tensors[name].detach().unsqueeze(1).requires_grad_() for name in "BC"]
    arguments = (*(tensors[n] for n in ("u", "delta", "A")), *weights, tensors["D"], tensors["z"])
    operator = torch.ops.openstl_ext.selective_scan.default
    rest = (None, None, True, True, "stepwise")
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")
    torch.library.opcheck(operator, (*arguments, *rest), test_utils=checks)


def test_an_exported_program_contains_the_operator() -> None:
    """The backend of a deployed program could not be selected where it runs."""
    layer, arguments = Layer().eval(), inputs()
    file = io.BytesIO()
    torch.export.save(torch.export.export(layer, arguments), file)
    file.seek(0)
    program = torch.export.load(file)
    assert "openstl_ext.selective_scan" in str(program.graph)
    torch.testing.assert_close(program.module()(*arguments), layer(*arguments))


@pytest.mark.slow
@pytest.mark.parametrize("layer", [Layer(), ImageLayer()], ids=["sequence", "image"])
def test_a_compiled_net_has_the_same_gradients(layer: nn.Module) -> None:
    """A graph break at each scan would make compilation useless."""
    arguments = inputs() if isinstance(layer, Layer) else (torch.rand(1, 3, 4, 5),)
    leaf = arguments[0].requires_grad_()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    ours, expected = compiled(*arguments), layer(*arguments)
    torch.testing.assert_close(ours, expected)
    (ours_grad,) = torch.autograd.grad(ours.sum(), leaf)
    (expected_grad,) = torch.autograd.grad(expected.sum(), leaf)
    torch.testing.assert_close(ours_grad, expected_grad)


def test_inference_saves_no_states() -> None:
    """Saved states would need memory although there is no backward pass."""
    tensors, _ = drawn()
    u, delta, decay, b, c = (tensors[name].float() for name in ("u", "delta", "A", "B", "C"))
    grouped = (b.unsqueeze(1), c.unsqueeze(1))
    options = (None, None, None, None, False)
    scan = torch.ops.openstl_ext.selective_scan
    *_, states, ungated = scan(u, delta, decay, *grouped, *options, False, "stepwise")
    assert states.numel() == ungated.numel() == 0
    *_, states, _ = scan(u, delta, decay, *grouped, *options, True, "stepwise")
    assert states.shape == (BATCH, 3, STATES, CHANNELS)
