"""Sums that outlive a step."""

import torch
from torch import Tensor


def at_least_float32(x: Tensor) -> Tensor:
    """A bf16 tensor in float32, any wider one as it is: what adds up over steps needs the bits."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
