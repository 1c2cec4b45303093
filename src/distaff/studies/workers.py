"""Local workers: processes that take tasks from one queue. One that dies is replaced, its task repeated."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

ATTEMPTS = 3  # of a task whose worker dies


class Answer(msgspec.Struct):
    """A task, and its error (one line) and the traceback of a defect, or ""."""

    task: str
    error: str = ""
    where: str = ""


def answers(study: Path, tasks: Sequence[str], workers: int, data_dir: str | None) -> Iterator[Answer]:
    """Have the tasks done by so many processes of one thread each, and tell of each as it ends.

    When the caller stops early, the processes are asked to end and finish what they write.
    """
    waiting: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
    for task in tasks:
        waiting.put((task, 1))
    done: queue.SimpleQueue[Answer | BaseException] = queue.SimpleQueue()
    pool = [_Worker(study, data_dir, waiting, done) for _ in range(min(workers, len(tasks)))]
    try:
        for worker in pool:
            worker.start()
        for _ in tasks:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        for worker in pool:
            worker.stop()
        for worker in pool:
            worker.join()


class _Worker(threading.Thread):
    """Feeds one process, and starts another when it dies."""

    def __init__(
        self,
        study: Path,
        data_dir: str | None,
        waiting: queue.SimpleQueue[tuple[str, int]],
        done: queue.SimpleQueue[Answer | BaseException],
    ) -> None:
        super().__init__(daemon=True)
        self._words = [sys.executable, "-m", "distaff.studies.worker", str(study)]
        self._words += [data_dir] if data_dir else []
        self._waiting, self._done = waiting, done
        self._process: subprocess.Popen[str] | None = None
        self._stopping = threading.Event()

    def run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    task, attempt = self._waiting.get(timeout=0.2)  # one may come back from a dead worker
                except queue.Empty:
                    continue
                self._do(task, attempt)
        except BaseException as error:
            self._done.put(error)
        finally:
            self._end()

    def _do(self, task: str, attempt: int) -> None:
        found = self._ask(task)
        if found is not None:
            self._done.put(found)
        elif attempt < ATTEMPTS and not self._stopping.is_set():
            self._waiting.put((task, attempt + 1))
        elif not self._stopping.is_set():
            self._done.put(Answer(task, f"its worker died {ATTEMPTS} times"))

    def _ask(self, task: str) -> Answer | None:
        """The answer of the process, None where it died."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C reaches the study, which then stops its workers
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{task}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except (BrokenPipeError, ValueError):
            line = ""
        if not line.endswith("\n"):
            self._end()
            return None
        return msgspec.json.decode(line, type=Answer)

    def _end(self) -> None:
        """Wait for the process and close what leads to it."""
        process, self._process = self._process, None
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]
            process.wait()

    def stop(self) -> None:
        """Ask the process to end: training stops at the end of a step and keeps its checkpoint."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
