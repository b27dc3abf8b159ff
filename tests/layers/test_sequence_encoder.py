"""Encoder over all steps at once, compared with a loop over the steps."""

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
CHUNKS = {"all": 2**22, "pairs": 4 * 2 * 3 * 12 * 20, "single": 1}
"""Values of the finest map in a chunk: all images, two steps of three images, one image."""


@pytest.fixture(params=CHUNKS.values(), ids=CHUNKS.keys())
def _chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence_encoder, "CHUNK_VALUES", request.param)


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


def gradients_of_training(
    net: nn.Module, batches: list[Tensor], read: Callable[[list[Tensor]], Tensor]
) -> list:
    """Return the gradients of the inputs in some training steps, which also update the weights."""
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


@pytest.mark.usefixtures("_chunks")
@pytest.mark.parametrize("recompute", [False, True])
def test_training_equals_a_loop_over_the_steps(recompute: bool) -> None:
    """Batch norms over all steps at once would have other statistics than the published net."""
    ours, loop = both(recompute=recompute)
    batches = [frames(5), frames(4), frames(1)]
    grads, expected = (gradients_of_training(net, batches, loss) for net in (ours, loop))
    torch.testing.assert_close(grads, expected)
    torch.testing.assert_close(weights(ours), weights(loop))
    same_statistics(ours, loop)
    torch.testing.assert_close(ours.eval()(batches[0]), loop.eval()(batches[0]))


@pytest.mark.usefixtures("_chunks")
@pytest.mark.parametrize("kept", [torch.no_grad, torch.enable_grad])
def test_evaluation_equals_a_loop_over_the_steps(kept: Callable[[], Any]) -> None:
    """Chunks that split a step, or folded norms, would change the outputs."""
    ours, loop = both()
    ours.eval(), loop.eval()
    batch = frames(7)
    with kept():
        for maps in (ours(batch), ours(batch.transpose(3, 4).contiguous().transpose(3, 4))):
            torch.testing.assert_close(maps, loop(batch))
        with published_order():
            torch.testing.assert_close(ours(batch), loop(batch))


@pytest.mark.usefixtures("_chunks")
@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_the_last_maps_equal_the_last_step_of_all_maps(recompute: bool, training: bool) -> None:
    """The decoder would get skips of another time step."""
    ours, _ = both(recompute=recompute)
    ours.train(training)
    batch = frames(5)
    *fine, deepest = ours(batch)
    *last, same = ours(batch, finer="last")
    torch.testing.assert_close(same, deepest)
    for level, alone in zip(fine, last, strict=True):
        torch.testing.assert_close(alone, level[:, -1:])


def test_a_norm_over_the_sequence_equals_one_large_batch() -> None:
    """The option norm_over='sequence' would normalise something else."""
    ours, loop = both(norm_over="sequence")
    batch = frames(4)
    folded = loop(batch.flatten(0, 1).unsqueeze(1))
    for level, expected in zip(ours(batch), folded, strict=True):
        torch.testing.assert_close(level.flatten(0, 1), expected[:, 0])
    same_statistics(ours, loop)
    stepwise, _ = both()
    assert not torch.allclose(stepwise(batch)[-1], ours(batch)[-1], rtol=0.1)


@pytest.mark.parametrize("recompute", [False, True])
def test_bf16_autocast_trains_like_a_loop(recompute: bool) -> None:
    """Running statistics in bf16 would lose small updates."""
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


def test_frozen_norms_in_a_training_net_do_not_change() -> None:
    """Fine-tuning with frozen norms would overwrite their statistics."""
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
    """The hand-written backward pass would be wrong."""
    norm = StepBatchNormReLU(3).double()
    x = torch.randn(4, 3, 2, 3).double().requires_grad_()
    nn.init.normal_(norm.weight)

    def output(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.func.functional_call(norm, {"weight": weight, "bias": bias}, (x, 2))

    assert torch.autograd.gradcheck(output, (x, norm.weight, norm.bias))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_norm_keeps_the_type_of_its_input(dtype: torch.dtype) -> None:
    """The next layer, whose weights have that type, would fail."""
    norm = StepBatchNormReLU(3).to(dtype)
    x = torch.randn(4, 3, 2, 3, dtype=dtype, requires_grad=True)
    output = norm(x, 2)
    output.sum().backward()
    assert output.dtype == x.grad.dtype == dtype


def test_inputs_without_variance_and_unknown_options_are_rejected() -> None:
    """A running variance of infinity would only be noticed after training."""
    norm = StepBatchNormReLU(3)
    with pytest.raises(ShapeError, match=r"two values per channel and step.*\(2, 3, 1, 1\)"):
        norm(torch.rand(2, 3, 1, 1), 2)
    assert norm.eval()(torch.rand(2, 3, 1, 1), 2).isfinite().all()
    for momentum in (None, 0.0, 1.5):
        with pytest.raises(ConfigError, match=r"in \(0, 1\]"):
            StepBatchNormReLU(3, momentum=momentum)
    with pytest.raises(ConfigError, match="step, sequence, got 'layer'"):
        SequenceEncoder(1, norm_over="layer")
    with pytest.raises(ConfigError, match="use norm_over='step'"):
        SequenceEncoder(1, norm_over="sequence", recompute=True)


def stored_bytes(net: SequenceEncoder, x: Tensor) -> int:
    """Return the bytes that a forward pass stores for the backward pass, without the weights."""
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
    """Sum four maps per level in float32, pooled maps, their indices in int64, and the frames."""
    values = [width * (side >> level) ** 2 for level, width in enumerate(widths)]
    pooled = [width * (side >> level + 1) ** 2 for level, width in enumerate(widths[:-1])]
    return images * (16 * sum(values) + 12 * sum(pooled) + 4 * channels * side**2)


@pytest.mark.parametrize("order", [published_order, nullcontext])
def test_stored_activations_match_the_computed_number_of_bytes(order: Callable[[], Any]) -> None:
    """Estimates of the largest batch that fits a GPU would be wrong."""
    length, batch, side = 6, 2, 32
    x = torch.rand(batch, length, 3, side, side)
    net = SequenceEncoder(3, widths=(8, 16, 32))
    with order():
        stored = stored_bytes(net, x)
        expected = expected_bytes(length * batch, side, (8, 16, 32), 3)
        assert stored == pytest.approx(expected, rel=0.02)
        net.recompute = True
        assert stored_bytes(net, x) <= 1.1 * x.nelement() * 4


def test_the_published_size_fits_a_gpu_only_with_recomputation() -> None:
    """The purpose of `recompute`: 34 years, 32 patches per GPU, 4 bands, 128 x 128."""
    widths = (64, 128, 256, 512)
    assert expected_bytes(34 * 32, 128, widths, 4) == pytest.approx(40.5e9, rel=0.01)
    assert expected_bytes(32, 128, widths, 4) == pytest.approx(1.19e9, rel=0.01)


@pytest.mark.gpu
@pytest.mark.parametrize("recompute", [False, True])
def test_a_gpu_trains_like_a_cpu(recompute: bool) -> None:
    """GPU kernels, or the backward pass in another thread, would give other gradients."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    ours, _ = both(recompute=recompute)
    there = copy.deepcopy(ours).cuda()
    batches = [frames(5), frames(4)]
    here = gradients_of_training(ours, batches, loss)
    found = gradients_of_training(there, [batch.cuda() for batch in batches], loss)
    torch.testing.assert_close([x.cpu() for x in found], here)
    same_statistics(there.cpu(), ours)
