"""The encoder over all steps at once, against a plain loop over the steps."""

import copy
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.unet_encoder import StepLoop
from openstl_ext.errors import ConfigError, ShapeError
from openstl_ext.layers import sequence_encoder
from openstl_ext.layers.memory_format import published_order
from openstl_ext.layers.sequence_encoder import SequenceEncoder
from openstl_ext.layers.step_batch_norm import StepBatchNormReLU

WIDTHS = (4, 6, 8)
BLOCKS = {"all": 2**22, "pairs": 4 * 2 * 3 * 12 * 20, "single": 1}
"""Values of the finest map in a block: everything, two steps of three images, one image."""


@pytest.fixture(params=BLOCKS.values(), ids=BLOCKS.keys())
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence_encoder, "BLOCK_VALUES", request.param)


def both(**arguments: Any) -> tuple[SequenceEncoder, StepLoop]:
    torch.manual_seed(0)
    ours = SequenceEncoder(2, widths=WIDTHS, **arguments).double()
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
    return ours, StepLoop(ours).double()


def frames(length: int = 5) -> Tensor:
    growth = torch.arange(1.0, length + 1).view(1, -1, 1, 1, 1)  # so that steps differ in scale
    return torch.randn(3, length, 2, 12, 20).double() * growth + growth


def norms(net: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]


def weights(net: nn.Module) -> list[nn.Parameter]:
    convs = [module.weight for module in net.modules() if isinstance(module, nn.Conv2d)]
    return convs + [w for norm in norms(net) for w in (norm.weight, norm.bias)]


def trained(net: nn.Module, batches: list[Tensor], read: Callable[[list[Tensor]], Tensor]) -> list:
    """Inputs' gradients of some training steps, which move the weights as well."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    found = []
    for batch in batches:
        x = batch.clone().requires_grad_()
        optimizer.zero_grad()
        read(net(x)).backward()
        optimizer.step()
        found.append(x.grad)
    return found


def loss(maps: list[Tensor]) -> Tensor:
    torch.manual_seed(1)
    return sum((level * torch.randn(level.shape).to(level)).mean() for level in maps)


def same_statistics(ours: nn.Module, theirs: nn.Module) -> None:
    for one, other in zip(norms(ours), norms(theirs), strict=True):
        torch.testing.assert_close(one.running_mean, other.running_mean)
        torch.testing.assert_close(one.running_var, other.running_var)
        assert one.num_batches_tracked == other.num_batches_tracked > 0


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("recompute", [False, True])
def test_training_is_that_of_a_loop_over_the_steps(recompute: bool) -> None:
    """One fold of all steps has other statistics: another net in training, and in evaluation."""
    ours, loop = both(recompute=recompute)
    batches = [frames(5), frames(4), frames(1)]
    grads, expected = (trained(net, batches, loss) for net in (ours, loop))
    torch.testing.assert_close(grads, expected)
    torch.testing.assert_close(weights(ours), weights(loop))
    same_statistics(ours, loop)
    torch.testing.assert_close(ours.eval()(batches[0]), loop.eval()(batches[0]))


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("kept", [torch.no_grad, torch.enable_grad])
def test_evaluation_is_that_of_a_loop(kept: Callable[[], Any]) -> None:
    """Blocks that do not divide the steps, and norms folded into weights, must change nothing."""
    ours, loop = both()
    ours.eval(), loop.eval()
    batch = frames(7)
    with kept():
        for maps in (ours(batch), ours(batch.transpose(3, 4).contiguous().transpose(3, 4))):
            torch.testing.assert_close(maps, loop(batch))
        with published_order():
            torch.testing.assert_close(ours(batch), loop(batch))


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_the_last_steps_maps_are_those_of_all_steps(recompute: bool, training: bool) -> None:
    """A skip of another year would put the sites where they were."""
    ours, _ = both(recompute=recompute)
    ours.train(training)
    batch = frames(5)
    *fine, deepest = ours(batch)
    *last, same = ours(batch, finer="last")
    torch.testing.assert_close(same, deepest)
    for level, alone in zip(fine, last, strict=True):
        torch.testing.assert_close(alone, level[:, -1:])


def test_over_the_sequence_it_is_a_plain_fold() -> None:
    """The other way to normalise, for who wants larger batches in it."""
    ours, loop = both(norm_over="sequence")
    batch = frames(4)
    folded = loop(batch.flatten(0, 1).unsqueeze(1))
    for level, expected in zip(ours(batch), folded, strict=True):
        torch.testing.assert_close(level.flatten(0, 1), expected[:, 0])
    same_statistics(ours, loop)
    stepwise, _ = both()
    assert not torch.allclose(stepwise(batch)[-1], ours(batch)[-1], rtol=0.1)


@pytest.mark.parametrize("recompute", [False, True])
def test_bf16_autocast_trains_as_a_loop_does(recompute: bool) -> None:
    """Statistics in bf16 would forget the small steps of the running mean."""
    ours, loop = both(recompute=recompute)
    ours.float(), loop.float()
    x = torch.rand(2, 4, 2, 16, 16)
    for net in (ours, loop):
        with torch.autocast("cpu", torch.bfloat16):
            total = loss([level.float() for level in net(x)])
        total.backward()
    for one, other in zip(norms(ours), norms(loop), strict=True):
        assert one.running_mean.dtype == torch.float32
        torch.testing.assert_close(one.running_var, other.running_var, rtol=0.05, atol=0.01)
        torch.testing.assert_close(one.weight.grad, other.weight.grad, rtol=0.2, atol=0.02)


def test_frozen_norms_in_a_net_that_trains_stay_as_they_are() -> None:
    """Fine-tuning on a few patches keeps the statistics of the many."""
    ours, loop = both()
    for net in (ours, loop):
        for norm in norms(net):
            norm.eval()
    before = copy.deepcopy(ours.state_dict())
    batch = frames(4)
    torch.testing.assert_close(ours(batch), loop(batch))
    for key, value in ours.state_dict().items():
        torch.testing.assert_close(value, before[key], rtol=0, atol=0)


def test_a_norm_passes_the_gradient_check() -> None:
    """Its backward pass is written out, step by step."""
    norm = StepBatchNormReLU(3).double()
    x = torch.randn(4, 3, 2, 3).double().requires_grad_()
    nn.init.normal_(norm.weight)

    def said(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.func.functional_call(norm, {"weight": weight, "bias": bias}, (x, 2))

    assert torch.autograd.gradcheck(said, (x, norm.weight, norm.bias))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_norm_keeps_the_type_of_its_input(dtype: torch.dtype) -> None:
    """What follows has weights of that type."""
    norm = StepBatchNormReLU(3).to(dtype)
    x = torch.randn(4, 3, 2, 3, dtype=dtype, requires_grad=True)
    said = norm(x, 2)
    said.sum().backward()
    assert said.dtype == x.grad.dtype == dtype


def test_what_has_no_variance_or_no_meaning_is_refused() -> None:
    """A running variance of infinity shows only when the trained net says nothing."""
    norm = StepBatchNormReLU(3)
    with pytest.raises(ShapeError, match=r"two values a channel and step.*\(2, 3, 1, 1\)"):
        norm(torch.rand(2, 3, 1, 1), 2)
    assert norm.eval()(torch.rand(2, 3, 1, 1), 2).isfinite().all()
    for momentum in (None, 0.0, 1.5):
        with pytest.raises(ConfigError, match=r"in \(0, 1\]"):
            StepBatchNormReLU(3, momentum=momentum)
    with pytest.raises(ConfigError, match="step, sequence, not 'layer'"):
        SequenceEncoder(1, norm_over="layer")
    with pytest.raises(ConfigError, match="take norm_over='step'"):
        SequenceEncoder(1, norm_over="sequence", recompute=True)


def kept_bytes(net: SequenceEncoder, x: Tensor) -> int:
    """Bytes that a forward pass keeps for the backward pass, without the weights."""
    own = {w.untyped_storage().data_ptr() for w in (*net.parameters(), *net.buffers())}
    storages: dict[int, Any] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            storages[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        net(x, finer="last")
    return sum(storage.nbytes() for storage in storages.values())


def expected_bytes(images: int, side: int, widths: tuple[int, ...], channels: int) -> int:
    """Four maps a level in float32; a pooled map and its indices in int64 between two; frames."""
    values = [width * (side >> level) ** 2 for level, width in enumerate(widths)]
    pooled = [width * (side >> level + 1) ** 2 for level, width in enumerate(widths[:-1])]
    return images * (16 * sum(values) + 12 * sum(pooled) + 4 * channels * side**2)


@pytest.mark.parametrize("order", [published_order, nullcontext])
def test_kept_activations_are_those_of_the_arithmetic(order: Callable[[], Any]) -> None:
    """The figure that says which batch fits a GPU is worth what its formula is."""
    length, batch, side = 6, 2, 32
    x = torch.rand(batch, length, 3, side, side)
    net = SequenceEncoder(3, widths=(8, 16, 32))
    with order():
        kept = kept_bytes(net, x)
        assert kept == pytest.approx(expected_bytes(length * batch, side, (8, 16, 32), 3), rel=0.02)
        net.recompute = True
        assert kept_bytes(net, x) <= 1.1 * x.nelement() * 4


def test_the_published_size_fits_a_gpu_only_if_it_is_recomputed() -> None:
    """34 years, 32 patches a GPU, 4 bands, 128 x 128: what the argument is for."""
    widths = (64, 128, 256, 512)
    assert expected_bytes(34 * 32, 128, widths, 4) == pytest.approx(40.5e9, rel=0.01)
    assert expected_bytes(32, 128, widths, 4) == pytest.approx(1.19e9, rel=0.01)


@pytest.mark.gpu
@pytest.mark.parametrize("recompute", [False, True])
def test_a_gpu_trains_as_a_cpu_does(recompute: bool) -> None:
    """Its kernels are others, and the backward pass runs in another thread."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    ours, _ = both(recompute=recompute)
    there = copy.deepcopy(ours).cuda()
    batches = [frames(5), frames(4)]
    here = trained(ours, batches, loss)
    found = trained(there, [batch.cuda() for batch in batches], loss)
    torch.testing.assert_close([x.cpu() for x in found], here)
    same_statistics(there.cpu(), ours)
