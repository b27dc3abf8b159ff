"""Scan in Triton for GPUs, float32: a program scans a few channels of one sample.

Time comes before channels here, so that neighbouring threads read neighbouring numbers. Each
program writes its own sums over channels, which are added afterwards without atomics: equal inputs
give equal bits. The chunk that the backward pass recomputes is in scratch memory, because Triton
cannot index registers.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from openstl_ext.ops.selective_scan.kernel import (
    CHUNK,
    Gradients,
    Operands,
    Outcome,
    num_chunks,
)

BLOCK = 16  # channels of a program; few, because small batches leave a GPU idle


def forward(operands: Operands, *, keep_states: bool) -> Outcome:
    """Scan along L; see ``kernel.Kernel``."""
    plan = _Plan(operands)
    batch, channels, length = operands.dt.shape
    num_states = operands.A.shape[1]
    y = operands.dt.new_empty(batch, length, channels)
    last = y.new_empty(batch, channels, num_states)
    kept = (batch, num_chunks(length), num_states, channels) if keep_states else (0,)
    states = y.new_empty(kept)
    with plan.device():
        _forward[(plan.programs,)](*plan.inputs, y, last, states, *plan.sizes, KEEP=keep_states)
    return Outcome(y.transpose(1, 2).contiguous(), last, states)


def backward(
    operands: Operands, states: Tensor, grad_y: Tensor, grad_last: Tensor | None
) -> Gradients:
    """Compute the gradients from saved states; see ``kernel.Kernel``."""
    plan = _Plan(operands)
    batch, channels, length = operands.dt.shape
    groups, num_states = operands.B.shape[1:3]
    after = operands.A.new_zeros(batch, channels, num_states) if grad_last is None else grad_last
    grad_u, grad_dt = (after.new_empty(batch, length, channels) for _ in range(2))
    grad_a = torch.empty_like(after)
    partial = (plan.blocks, batch, groups, length, num_states)
    grad_b, grad_c = after.new_empty(partial), after.new_empty(partial)
    scratch = after.new_empty(plan.programs, CHUNK + 1, BLOCK, plan.sizes[-3])
    made = (grad_u, grad_dt, grad_a, grad_b, grad_c, scratch)
    given = (_in_time(grad_y), after, states)
    with plan.device():
        _backward[(plan.programs,)](*plan.inputs, *given, *made, *plan.sizes)
    weights = (grad.sum(0).transpose(2, 3) for grad in (grad_b, grad_c))
    return Gradients(
        grad_u.transpose(1, 2).contiguous(),
        grad_dt.transpose(1, 2).contiguous(),
        grad_a.sum(0),
        *weights,
    )


class _Plan:
    """Inputs and sizes for the launch of both kernels."""

    def __init__(self, operands: Operands) -> None:
        u, dt, a, b, c, order = operands
        batch, channels, length = dt.shape
        groups, num_states = b.shape[1:3]
        if order is None:
            order = torch.arange(length, device=dt.device).unsqueeze(0)
        group = channels // groups
        self.blocks = triton.cdiv(group, BLOCK)
        self.programs = batch * groups * self.blocks
        time = (_in_time(u), _in_time(dt), a, *(w.transpose(2, 3).contiguous() for w in (b, c)))
        self.inputs = (*time, order)
        padded = triton.next_power_of_2(num_states)
        counts = (length, u.shape[1], channels, groups, group, groups // len(order), num_states)
        self.sizes = (*counts, padded, BLOCK, CHUNK)

    def device(self) -> torch.cuda.device:
        """Select the device of the tensors, because Triton launches on the current device."""
        return torch.cuda.device_of(self.inputs[0])


def _in_time(tensor: Tensor) -> Tensor:
    return tensor.transpose(1, 2).contiguous()


@triton.jit
def _exp(x):  # type: ignore[no-untyped-def]
    """As in scan.cpp; the fast exponential of the GPU has errors in the last bits that add up."""
    x = tl.minimum(tl.maximum(x, -86.0), 88.0)
    k = tl.floor(x * 1.44269504 + 0.5)
    f = (x - k * 0.693359375) - k * -2.12194440e-4
    p = f * (1.0 / 5040) + 1.0 / 720
    p = p * f + 1.0 / 120
    p = p * f + 1.0 / 24
    p = p * f + 1.0 / 6
    p = p * f + 0.5
    p = p * f + 1.0
    p = p * f + 1.0
    return p * ((k.to(tl.int32) + 127) << 23).to(tl.float32, bitcast=True)


@triton.jit
def _forward(  # type: ignore[no-untyped-def]
    u,
    dt,
    a,
    b,
    c,
    order,
    y,
    last,
    states,
    length,
    shared_channels,
    channels,
    groups,
    group_size,
    groups_a_direction,
    num_states,
    N: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
    CHUNK: tl.constexpr,  # noqa: N803
    KEEP: tl.constexpr,  # noqa: N803
):
    blocks = tl.cdiv(group_size, BLOCK)
    pair = (tl.program_id(0) // blocks).to(tl.int64)
    group, sample = pair % groups, pair // groups
    within = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    n = tl.arange(0, N)
    live, real = within < group_size, n < num_states
    both = live[:, None] & real[None, :]
    channel = group * group_size + within
    path = order + group // groups_a_direction * length
    state_at = n[None, :] * channels + channel[:, None]
    entry = channel[:, None] * num_states + n[None, :]
    rate = tl.load(a + entry, mask=both, other=0.0)
    h = tl.zeros((BLOCK, N), dtype=tl.float32)
    chunks = tl.cdiv(length, CHUNK)
    for chunk in range(chunks):
        if KEEP:
            here = (sample * chunks + chunk) * num_states * channels
            tl.store(states + here + state_at, h, mask=both)
        for t in range(chunk * CHUNK, tl.minimum(chunk * CHUNK + CHUNK, length)):
            at = tl.load(path + t)
            row = sample * length + at
            step = tl.load(dt + row * channels + channel, mask=live, other=0.0)
            value = tl.load(
                u + row * shared_channels + channel % shared_channels, mask=live, other=0.0
            )
            weight = (pair * length + at) * num_states + n
            b_t = tl.load(b + weight, mask=real, other=0.0)
            c_t = tl.load(c + weight, mask=real, other=0.0)
            h = _exp(step[:, None] * rate) * h + (step * value)[:, None] * b_t[None, :]
            tl.store(y + row * channels + channel, tl.sum(h * c_t[None, :], 1), mask=live)
    tl.store(last + sample * channels * num_states + entry, h, mask=both)


@triton.jit
def _backward(  # type: ignore[no-untyped-def]
    u,
    dt,
    a,
    b,
    c,
    order,
    grad_y,
    grad_last,
    states,
    grad_u,
    grad_dt,
    grad_a,
    grad_b,
    grad_c,
    scratch,
    length,
    shared_channels,
    channels,
    groups,
    group_size,
    groups_a_direction,
    num_states,
    N: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
    CHUNK: tl.constexpr,  # noqa: N803
):
    blocks = tl.cdiv(group_size, BLOCK)
    block = tl.program_id(0) % blocks
    pair = (tl.program_id(0) // blocks).to(tl.int64)
    group, sample = pair % groups, pair // groups
    within = block * BLOCK + tl.arange(0, BLOCK)
    n = tl.arange(0, N)
    live, real = within < group_size, n < num_states
    both = live[:, None] & real[None, :]
    channel = group * group_size + within
    shared = channel % shared_channels
    path = order + group // groups_a_direction * length
    state_at = n[None, :] * channels + channel[:, None]
    entry = channel[:, None] * num_states + n[None, :]
    slot = tl.arange(0, BLOCK)[:, None] * N + n[None, :]
    own = scratch + tl.program_id(0).to(tl.int64) * (CHUNK + 1) * BLOCK * N
    pairs = tl.num_programs(0) // blocks
    partial = block * pairs.to(tl.int64) + pair
    rate = tl.load(a + entry, mask=both, other=0.0)
    q = tl.load(grad_last + sample * channels * num_states + entry, mask=both, other=0.0)
    sum_a = tl.zeros((BLOCK, N), dtype=tl.float32)
    chunks = tl.cdiv(length, CHUNK)
    for back in range(chunks):
        chunk = chunks - 1 - back
        here = (sample * chunks + chunk) * num_states * channels
        h = tl.load(states + here + state_at, mask=both, other=0.0)
        tl.store(own + slot, h)
        first = chunk * CHUNK
        steps = tl.minimum(CHUNK, length - first)
        for i in range(steps):
            at = tl.load(path + first + i)
            row = sample * length + at
            step = tl.load(dt + row * channels + channel, mask=live, other=0.0)
            value = tl.load(u + row * shared_channels + shared, mask=live, other=0.0)
            weight = (pair * length + at) * num_states + n
            b_t = tl.load(b + weight, mask=real, other=0.0)
            h = _exp(step[:, None] * rate) * h + (step * value)[:, None] * b_t[None, :]
            tl.store(own + (i + 1) * BLOCK * N + slot, h)
        tl.debug_barrier()  # what one thread has stored, another may load
        sum_chunk = tl.zeros((BLOCK, N), dtype=tl.float32)
        for j in range(steps):
            i = steps - 1 - j
            at = tl.load(path + first + i)
            row = sample * length + at
            step = tl.load(dt + row * channels + channel, mask=live, other=0.0)
            value = tl.load(u + row * shared_channels + shared, mask=live, other=0.0)
            g = tl.load(grad_y + row * shared_channels + shared, mask=live, other=0.0)
            weight = (pair * length + at) * num_states + n
            b_t = tl.load(b + weight, mask=real, other=0.0)
            c_t = tl.load(c + weight, mask=real, other=0.0)
            now = tl.load(own + (i + 1) * BLOCK * N + slot)
            before = tl.load(own + i * BLOCK * N + slot)
            q += g[:, None] * c_t[None, :]
            out = (partial * length + at) * num_states + n
            tl.store(grad_c + out, tl.sum(g[:, None] * now, 0), mask=real)
            tl.store(grad_b + out, tl.sum(q * (step * value)[:, None], 0), mask=real)
            through_x = tl.sum(q * b_t[None, :], 1)
            q = q * _exp(step[:, None] * rate)
            through = q * before
            through_dt = tl.sum(through * rate, 1)
            sum_chunk += through * step[:, None]
            tl.store(grad_u + row * channels + channel, step * through_x, mask=live)
            tl.store(grad_dt + row * channels + channel, value * through_x + through_dt, mask=live)
        sum_a += sum_chunk
        tl.debug_barrier()  # no thread may overwrite what another still reads
    tl.store(grad_a + sample * channels * num_states + entry, sum_a, mask=both)
