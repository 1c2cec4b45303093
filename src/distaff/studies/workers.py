"""Local workers: processes that take tasks from one queue. One that dies is replaced, its task repeated."""

import contextlib
import os
import queue
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from distaff import registry
from distaff.interrupt import unbroken
from distaff.started import Started, end, first

ATTEMPTS = 3  # of a task whose worker dies


class Answer(msgspec.Struct):
    """A task, and its error (one line) and the traceback of a defect, or ""."""

    task: str
    error: str = ""
    where: str = ""


def answers(
    study: Path,
    tasks: Sequence[str],
    workers: int,
    data_dir: str | None,
    wanted: Callable[[str], bool] = lambda task: True,
) -> Iterator[Answer]:
    """Have the tasks done by so many processes of one thread each, and tell of each run of them as they end.

    A task that is not `wanted` any more when its turn comes is left out. When the caller stops early, the
    processes are asked to end and finish what they write.
    """
    words = [sys.executable, "-m", "distaff.studies.worker", str(study), *([data_dir] if data_dir else [])]
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    ended: queue.SimpleQueue[Future[tuple[str, list[Answer] | None, bool]]] = queue.SimpleQueue()
    begun: list[Future[Any]] = []
    attempts: Counter[str] = Counter()

    def ask(task: str) -> tuple[str, list[Answer] | None, bool]:
        worker = idle.get()
        try:
            asked = wanted(task)
            return task, worker.ask(task) if asked else None, asked
        finally:
            idle.put(worker)

    def submit(task: str) -> None:
        begun.append(threads.submit(ask, task))
        begun[-1].add_done_callback(ended.put)

    pool = [_Worker(words) for _ in range(min(workers, len(tasks)))]
    with contextlib.ExitStack() as stack:
        for worker in pool:
            stack.callback(worker.close)
            idle.put(worker)
        threads = stack.enter_context(ThreadPoolExecutor(len(pool)))
        stack.callback(end, pool, begun)
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        with unbroken():  # an interrupt while a thread starts would leave the pool without it
            for task in tasks:
                submit(task)
        left = len(tasks)
        while left:
            task, found, asked = first(ended).result()
            if not asked:
                left -= 1
                continue
            attempts[task] += 1
            if found is None and attempts[task] < ATTEMPTS:
                submit(task)
                continue
            left -= 1
            yield from found or [Answer(task, f"its worker died {ATTEMPTS} times")]


def known_here() -> dict[str, str]:
    """The environment of a process that is to know what was registered here, and where modules are."""
    path = os.pathsep.join(filter(None, sys.path))
    return {registry.REGISTERED: "; ".join(registry.OWN), "PYTHONPATH": path} if registry.OWN else {}


class _Worker(Started):
    """A process that is started when it is asked something, and again when it has died.

    Training that is asked to end does so after a step, and keeps its checkpoint.
    """

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__()
        self._words = words

    def ask(self, task: str) -> list[Answer] | None:
        """The answers of the process, None where it died."""
        process = self.process or self.start(
            self._words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | known_here(),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{task}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (BrokenPipeError, ValueError):
            line = ""
        if line.endswith("\n"):
            return msgspec.json.decode(line, type=list[Answer])
        self.close()
        return None

    def close(self) -> None:
        """Close what leads to the process and wait for it."""
        process, self.process = self.process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]
            process.wait()
