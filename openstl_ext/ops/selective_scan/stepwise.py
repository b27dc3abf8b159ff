"""Scan in plain PyTorch, for any device and float type: a loop with one in-place step each.

Internally, time comes first and channels last, (L, B, G, N, D/G): a step is then one contiguous
``addcmul`` with a long inner loop, and everything but the recurrence is computed for a chunk of
steps at once. The batch is split so that the buffers of a chunk stay in the cache of a CPU. No
operation uses atomic additions, so equal inputs give equal bits.

Source:
    The recurrence is that of Gu and Dao (arXiv:2312.00752); recomputing from saved states follows
    their section 3.3.2.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from openstl_ext.ops.selective_scan.kernel import (
    CHUNK,
    Gradients,
    Operands,
    Outcome,
    num_chunks,
)

CACHED_ELEMENTS = 2**18  # of one buffer on a CPU: 1 MiB in float32, so that a chunk stays in cache
ELEMENTS_PER_THREAD = 2**18  # of one step; below, threads mostly wait for each other
LARGE_ELEMENTS = 2**26  # of one buffer on other devices, where wide steps are faster


@contextmanager
def _one_thread(operands: Operands) -> Iterator[None]:
    """Use one thread for the many small operations of the loop.

    With several threads, each operation ends at a barrier, where threads spin; on a busy machine
    this takes ten times as long as the work itself.
    """
    threads = torch.get_num_threads()
    small = operands.dt.shape[1] * operands.A.shape[1] < ELEMENTS_PER_THREAD
    if threads == 1 or operands.dt.device.type != "cpu" or not small:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def forward(operands: Operands, *, keep_states: bool) -> Outcome:
    """Scan along L; see ``kernel.Kernel``."""
    with _one_thread(operands):
        return _forward(operands, keep_states)


def _forward(operands: Operands, keep_states: bool) -> Outcome:
    batch, channels, length = operands.dt.shape
    num_states = operands.A.shape[1]
    y = torch.empty_like(operands.dt)
    last = y.new_empty(batch, num_states, channels)
    kept = (batch, num_chunks(length), num_states, channels) if keep_states else (0,)
    states = y.new_empty(kept)
    for rows in _slices(operands):
        walk = _Walk(operands, rows)
        h = walk.by_group(torch.zeros_like(last[rows]))
        y_in_time = torch.empty_like(walk.dt)
        for index, steps in enumerate(walk.chunks):
            if keep_states:
                states[rows, index] = walk.by_channel(h)
            _, chunk = walk.states(steps, before=h)
            y_in_time[steps] = (walk.C[steps].unsqueeze(-2) @ chunk).squeeze(-2)
            h = chunk[-1].clone()
        y[rows] = walk.in_place(y_in_time)
        last[rows] = walk.by_channel(h)
    return Outcome(y, last.transpose(1, 2).contiguous(), states)


def backward(
    operands: Operands, states: Tensor, grad_y: Tensor, grad_last: Tensor | None
) -> Gradients:
    """Compute the gradients from saved states; see ``kernel.Kernel``."""
    with _one_thread(operands):
        return _backward(operands, states, grad_y, grad_last)


def _backward(
    operands: Operands, states: Tensor, grad_y: Tensor, grad_last: Tensor | None
) -> Gradients:
    _, dt, a, b, c, _ = operands
    grads = Gradients(*(torch.empty_like(t) for t in (dt, dt, a, b, c)))
    grad_decay = a.new_zeros(1)
    for rows in _slices(operands):
        walk = _Walk(operands, rows)
        g = walk.in_time(grad_y[rows], shared=True)
        grad_x, grad_dt, grad_b, grad_c = map(torch.empty_like, (walk.x, walk.dt, walk.B, walk.C))
        after = walk.by_group(torch.zeros_like(states[rows, 0]))
        if grad_last is not None:
            after = after + walk.by_group(grad_last[rows].transpose(1, 2))
        for index, steps in reversed(list(enumerate(walk.chunks))):
            before = walk.by_group(states[rows, index])
            decay, h = walk.states(steps, before)
            q = walk.gradients_of_states(steps, decay, g[steps], after)
            grad_c[steps] = (h @ g[steps].unsqueeze(-1)).squeeze(-1)
            grad_b[steps] = (q @ walk.x[steps].unsqueeze(-1)).squeeze(-1)
            grad_x[steps] = (walk.B[steps].unsqueeze(-2) @ q).squeeze(-2)
            through = decay.mul_(q)
            after = through[0].clone()
            through[1:] *= h[:-1]
            through[0] *= before  # this is the gradient of dt A
            torch.sum(torch.mul(through, walk.A, out=q), dim=-2, out=grad_dt[steps])
            grad_decay = grad_decay + through.mul_(walk.dt[steps].unsqueeze(-2)).sum((0, 1))
        grads.u[rows] = walk.in_place(grad_x * walk.dt)
        grads.dt[rows] = walk.in_place(grad_dt.addcmul_(grad_x, walk.u))
        grads.B[rows] = walk.in_place(grad_b).view_as(grads.B[rows])
        grads.C[rows] = walk.in_place(grad_c).view_as(grads.C[rows])
    grads.A.copy_(grad_decay.transpose(1, 2).reshape(a.shape))
    return grads


class _Walk:
    """Slice of the batch in time order, with the buffers of one chunk.

    Shape:
        - u, dt, x: (L, b, G, D/G); A: (G, N, D/G); B, C: (L, b, G, N).
        - states of a chunk: (T, b, G, N, D/G) with T <= CHUNK.
    """

    def __init__(self, operands: Operands, rows: slice) -> None:
        u, dt, a, b, c, self.order = operands
        self.groups, self.num_states = b.shape[1:3]
        self.A = a.view(self.groups, -1, self.num_states).transpose(1, 2).contiguous()
        self.u, self.dt = self.in_time(u[rows], shared=True), self.in_time(dt[rows])
        self.x = self.u * self.dt
        self.B, self.C = (self.in_time(w[rows].flatten(1, 2)) for w in (b, c))
        length = dt.shape[-1]
        self.chunks = [slice(t, min(t + CHUNK, length)) for t in range(0, length, CHUNK)]
        shape = (min(CHUNK, length), *self.dt.shape[1:3], *self.A.shape[1:])
        self.buffers = [dt.new_empty(shape) for _ in range(3)]

    def states(self, steps: slice, before: Tensor) -> tuple[Tensor, Tensor]:
        """Compute decays and states of a chunk from its first state; valid until the next call."""
        decay, h, _ = (buffer[: steps.stop - steps.start] for buffer in self.buffers)
        torch.mul(self.dt[steps].unsqueeze(-2), self.A, out=decay).exp_()
        torch.mul(self.x[steps].unsqueeze(-2), self.B[steps].unsqueeze(-1), out=h)
        for now, factor in zip(h.unbind(), decay.unbind(), strict=True):
            now.addcmul_(factor, before)
            before = now
        return decay, h

    def gradients_of_states(self, steps: slice, decay: Tensor, g: Tensor, after: Tensor) -> Tensor:
        """Compute ``q_t = g_t C_t + decay_{t+1} q_{t+1}`` backwards, starting from ``after``."""
        q = self.buffers[2][: len(g)]
        torch.mul(g.unsqueeze(-2), self.C[steps].unsqueeze(-1), out=q)
        q[-1] += after
        now = q.unbind()
        factor = decay.unbind()
        for t in range(len(now) - 2, -1, -1):
            now[t].addcmul_(factor[t + 1], now[t + 1])
        return q

    def in_time(self, tensor: Tensor, *, shared: bool = False) -> Tensor:
        """Return the values at each step, in the order of each direction.

        Shape:
            - tensor: (b, D, L), (b, G * N, L), or (b, Du, L) if all directions share it.
            - returns: (L, b, G, D/G) or (L, b, G, N).
        """
        time = tensor.permute(2, 0, 1).contiguous()
        if self.order is not None:
            parts = [time] * len(self.order) if shared else time.chunk(len(self.order), dim=2)
            ordered = [p.index_select(0, o) for p, o in zip(parts, self.order, strict=True)]
            time = torch.cat(ordered, dim=2)
        return time.view(*time.shape[:2], self.groups, -1)

    def in_place(self, time: Tensor) -> Tensor:
        """Return the values of each step to their positions: the inverse of ``in_time``."""
        time = time.flatten(2)
        if self.order is not None:
            placed = torch.empty_like(time)
            parts = (t.chunk(len(self.order), dim=2) for t in (placed, time))
            for to, part, positions in zip(*parts, self.order, strict=True):
                to[positions] = part
            time = placed
        return time.permute(1, 2, 0).contiguous()

    def by_group(self, states: Tensor) -> Tensor:
        """Split the channels of states (b, N, D) into groups, (b, G, N, D/G)."""
        return states.unflatten(2, (self.groups, -1)).transpose(1, 2)

    def by_channel(self, states: Tensor) -> Tensor:
        """Merge the groups of states (b, G, N, D/G), (b, N, D)."""
        return states.transpose(1, 2).flatten(2)


def _slices(operands: Operands) -> list[slice]:
    """Split the batch into slices whose buffers are small enough."""
    batch, channels, _ = operands.dt.shape
    budget = CACHED_ELEMENTS if operands.dt.device.type == "cpu" else LARGE_ELEMENTS
    rows = max(1, budget // (CHUNK * channels * operands.A.shape[1]))
    return [slice(i, min(i + rows, batch)) for i in range(0, batch, rows)]
