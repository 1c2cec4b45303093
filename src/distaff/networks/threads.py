"""Networks on several threads, each of which takes its share of the batch through the whole network.

torch's own threads meet at a barrier after every operation and spin while they wait there. Where another
process holds one of the cores for a moment, all of them wait for it, a thousand times a step, and two threads
get less done than one. Here threads meet once a network and direction, and sleep while they wait.

What comes out depends on how many shares there are, to the last bit, and not on which thread runs which. So
shares are run in turn by a single thread where that has lately been the quicker way.

Networks without convolutions have few and long operations, and weights that each share would have to go
through anew: they stay whole, on torch's own threads.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from distaff.machine import cores

Share = TypeVar("Share")
Result = TypeVar("Result")

SMALLEST = 16  # rows of a share; in smaller ones what every operation costs anyhow takes over

#: how many shares networks are run in on the CPU, and torch's own threads where one stays whole
_shares: ContextVar[int] = ContextVar("shares", default=1)
_threads: ContextVar[int] = ContextVar("threads", default=0)


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use so many threads of its own for the block."""
    before = torch.get_num_threads()
    if threads > 1:
        _let_waiting_threads_sleep()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def network_threads(threads: int, rows: int) -> Iterator[None]:
    """Run networks on so many threads for the block, in shares of batches that have so many rows.

    Where there are more threads than shares, torch's own are at work within each.
    """
    shares = min(threads, max(1, rows // SMALLEST))
    tokens = _shares.set(shares), _threads.set(threads)
    try:
        with torch_threads(threads // shares):
            yield
    finally:
        _shares.reset(tokens[0])
        _threads.reset(tokens[1])


@functools.cache
def _let_waiting_threads_sleep() -> None:
    """Have torch's own threads sleep while they wait for each other.

    GNU's OpenMP has them spin for milliseconds, but only as long as a process has no more of them than there
    are cores (GOMP_SPINCOUNT in libgomp's manual). So here are some more, which never do anything else.
    """
    size, started, before = cores() + 1, threading.Event(), torch.get_num_threads()

    def idle() -> None:
        torch.set_num_threads(size)
        torch.zeros(size << 15).add_(1)  # on all of them: each takes 2^15 numbers
        started.set()
        threading.Event().wait()

    threading.Thread(target=idle, name="idle", daemon=True).start()
    started.wait()
    torch.set_num_threads(before)  # for some libraries have one number for all threads


@contextmanager
def undivided() -> Iterator[None]:
    """Run networks whole for the block, as gradients of gradients need it."""
    token = _shares.set(1)
    try:
        yield
    finally:
        _shares.reset(token)


def in_shares(
    run: Callable[[Tensor], Tensor],
    inputs: Tensor,
    weights: Callable[[], Iterable[nn.Parameter]],
    divisible: bool = True,
) -> Tensor:
    """What `run` makes of the inputs (n, ...), in as many shares as the block has threads.

    Each row of the result must depend on its own row of the inputs and on the `weights` alone, which are
    asked for only where there are shares. What is not `divisible` is run whole.
    """
    shares = _shares.get()
    count = max(1, min(shares, len(inputs) // SMALLEST)) if divisible else 1
    if shares == 1 or (count == 1 and divisible) or inputs.device.type != "cpu":
        return run(inputs)
    if torch.is_grad_enabled():
        result: Tensor = _Shares.apply(run, count, inputs, *weights())
        return result
    inference = torch.is_inference_mode_enabled()

    def forward(share: Tensor) -> Tensor:
        with torch.inference_mode(inference), torch.no_grad():
            return run(share)

    return torch.cat(_all(forward, inputs.chunk(count)))


class _Shares(torch.autograd.Function):
    """Every share is a graph of its own, which backward goes through on the share's own thread."""

    @staticmethod
    def forward(
        ctx: Any, run: Callable[[Tensor], Tensor], count: int, inputs: Tensor, *weights: Tensor
    ) -> Tensor:
        def forward(share: Tensor) -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                share = share.detach().requires_grad_(ctx.needs_input_grad[2])
                return share, run(share)

        ctx.count, ctx.weights = count, weights
        ctx.graphs = _all(forward, inputs.chunk(count))
        return torch.cat([result.detach() for _, result in ctx.graphs])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # by create_graph=True: what comes next would lack terms
            raise RuntimeError("gradients of gradients need the network within `undivided()`")
        of_inputs, *of_weights = ctx.needs_input_grad[2:]
        wanted = [weight for weight, needed in zip(ctx.weights, of_weights, strict=True) if needed]

        def backward(graph: tuple[tuple[Tensor, Tensor], Tensor]) -> list[Tensor]:
            (share, result), own = graph
            return list(torch.autograd.grad(result, [share] * of_inputs + wanted, own))

        graphs, ctx.graphs = ctx.graphs, None
        shares = list(zip(graphs, gradient.chunk(ctx.count), strict=True))
        found = _all(backward, shares)
        first = torch.cat([each.pop(0) for each in found]) if of_inputs else None
        sums = iter(functools.reduce(Tensor.add_, each) for each in zip(*found, strict=True))
        return None, None, first, *(next(sums) if needed else None for needed in of_weights)


class Pace:
    """Whether shares go side by side or in turn: the way that took less time lately for the same work.

    Both are measured as seconds on the clock for a second of work. Every so often the other way is tried.
    """

    TRIAL, EVERY = 4, 512  # calls
    NEWEST = 0.1  # the weight of the last call

    def __init__(self) -> None:
        self._calls = 0
        self._cost = {True: 0.5, False: 1.0}

    def side_by_side(self) -> bool:
        """The way to go this time."""
        self._calls += 1
        quicker = self._cost[True] < self._cost[False]
        return quicker != (self._calls % self.EVERY < self.TRIAL)

    def took(self, side_by_side: bool, seconds: float, work: float) -> None:
        """What it took: seconds on the clock for so many seconds of all threads' work."""
        self._cost[side_by_side] += self.NEWEST * (seconds / work - self._cost[side_by_side])


class _Crew:
    """Threads that wait for shares; the caller is one of them."""

    def __init__(self, size: int, threads: int) -> None:
        start = functools.partial(torch.set_num_threads, threads)
        self._others = ThreadPoolExecutor(size - 1, "share", initializer=start)
        self._pace = Pace()

    def each(self, work: Callable[[Share], Result], shares: Sequence[Share]) -> list[Result]:
        """The results of all shares, in their order."""
        side_by_side, began = self._pace.side_by_side(), time.perf_counter()
        first, *others = shares
        if side_by_side:
            waiting = [self._others.submit(_timed, work, share) for share in others]
            found = [_timed(work, first), *(each.result() for each in waiting)]
        else:
            found = [_timed(work, share) for share in shares]
        self._pace.took(side_by_side, time.perf_counter() - began, sum(seconds for _, seconds in found))
        return [result for result, _ in found]


def _timed(work: Callable[[Share], Result], share: Share) -> tuple[Result, float]:
    """What comes of a share, and the seconds that its thread worked on it."""
    began = time.thread_time()
    return work(share), max(time.thread_time() - began, 1e-9)


_kept_crew = functools.cache(_Crew)
if hasattr(os, "register_at_fork"):  # threads do not live on in a child
    os.register_at_fork(after_in_child=_kept_crew.cache_clear)


def _all(work: Callable[[Share], Result], shares: Sequence[Share]) -> list[Result]:
    """The results of all shares, in their order. A single one gets torch's own threads."""
    if len(shares) > 1:
        return _kept_crew(len(shares), torch.get_num_threads()).each(work, shares)
    with torch_threads(_threads.get()):
        return [work(shares[0])]
