"""Half precision on any device, and fused optimisers."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from openstl_ext.engine.precision import AutocastOptimWrapper, prefer_fused
from openstl_ext.errors import ConfigError


def adam(net: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(net.parameters(), lr=0.1)


def test_bfloat16_works_without_a_gpu_and_keeps_float32_weights() -> None:
    """Training on a CPU with bf16 units could not use them."""
    net = nn.Linear(4, 4)
    wrapper = AutocastOptimWrapper(adam(net))
    before = net.weight.detach().clone()
    with wrapper.optim_context(net):
        output = net(torch.ones(1, 4))
    assert output.dtype == torch.bfloat16
    wrapper.update_params(output.float().square().mean())
    assert net.weight.dtype == torch.float32
    assert not torch.equal(net.weight, before)


def test_accumulated_steps_equal_one_of_the_mean() -> None:
    """--amp would change the meaning of accumulative_counts."""
    batches = torch.randn(2, 3, 4).unbind()
    results = []
    for cls, counts in ((OptimWrapper, 2), (AutocastOptimWrapper, 2)):
        torch.manual_seed(0)
        net = nn.Linear(4, 1)
        wrapper = cls(adam(net), accumulative_counts=counts)
        for batch in batches:
            wrapper.update_params(net(batch).mean())  # outside autocast: the same numbers
        results.append(net.weight.detach())
    assert torch.equal(*results)


def test_its_state_goes_into_plain_values_and_back() -> None:
    """A resumed run would start with another loss scale."""
    net = nn.Linear(2, 2)
    wrapper = AutocastOptimWrapper(adam(net))
    wrapper.update_params(net(torch.ones(1, 2)).mean())
    other = AutocastOptimWrapper(adam(nn.Linear(2, 2)))
    other.load_state_dict(wrapper.state_dict())
    torch.testing.assert_close(other.state_dict(), wrapper.state_dict(), rtol=0, atol=0)


def test_float16_on_a_cpu_is_rejected_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The training would be slower than in float32, and gradients would underflow."""
    monkeypatch.setattr("openstl_ext.engine.precision.get_device", lambda: "cpu")
    with pytest.raises(ConfigError, match="bfloat16"):
        AutocastOptimWrapper(adam(nn.Linear(1, 1)), dtype="float16")
    with pytest.raises(ConfigError, match="did you mean 'bfloat16'"):
        AutocastOptimWrapper(adam(nn.Linear(1, 1)), dtype="bfloat")


def test_the_fused_kernel_is_the_default_if_the_config_sets_none() -> None:
    """Updates would be slow, or the setting of the user would be ignored."""
    assert prefer_fused({"type": "AdamW"}, "cpu")["fused"] is True
    assert prefer_fused({"type": "Adam", "fused": False}, "cuda")["fused"] is False
    assert "fused" not in prefer_fused({"type": "Adam", "foreach": True}, "cpu")
    assert "fused" not in prefer_fused({"type": "RMSprop"}, "cpu")
    assert "fused" not in prefer_fused({"type": "Adam"}, "xla")
    assert "fused" not in prefer_fused({"type": "SGD"}, "cpu", divided=True)
