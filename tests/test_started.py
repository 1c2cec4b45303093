"""Processes end when they are asked to: before they are there, and also where they miss the first time."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from distaff import started
from distaff.started import Started, end, first

SLEEPS = [sys.executable, "-c", "import time; time.sleep(100)"]


def test_what_was_asked_to_end_before_it_is_started_ends() -> None:
    process = Started()
    process.stop()
    assert process.start(SLEEPS).wait(timeout=50) == -signal.SIGTERM


def test_what_has_ended_may_be_asked_to() -> None:
    process = Started()
    assert process.start([sys.executable, "-c", ""]).wait(timeout=50) == 0
    process.stop()


def test_what_misses_that_it_is_to_end_is_asked_again(tmp_path: Path, monkeypatch) -> None:
    asked, ready = tmp_path / "asked", tmp_path / "ready"
    deaf = f"""trap 'echo . >> {asked}; [ $(wc -l < {asked}) = 3 ] && exit 7' TERM
        touch {ready}
        while :; do sleep .05; done"""
    monkeypatch.setattr(started, "ASK_AGAIN", 0.5)
    process, other = Started(), Started()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: process.start(["/bin/sh", "-c", deaf]).wait())
        waiting = pool.submit(lambda: other.start(SLEEPS).wait())
        while not ready.exists():
            assert not running.done()
        pool.shutdown(wait=False, cancel_futures=True)
        end([process, other], [running, waiting])
        assert running.result(timeout=0) == 7
    assert waiting.cancelled()
    assert other.process is None


def test_the_first_of_a_queue_may_come_in_a_later_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started, "TURN", 0.01)
    of: queue.SimpleQueue[int] = queue.SimpleQueue()
    threading.Timer(0.1, of.put, [3]).start()
    assert first(of) == 3
