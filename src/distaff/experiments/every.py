"""Every experiment, two at a time, each in a process of its own."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from distaff import registry
from distaff.experiments.claims import tally
from distaff.experiments.conduct import RunsFailed, finished
from distaff.interrupt import unbroken
from distaff.machine import available_threads
from distaff.progress import progress, say
from distaff.started import Started, end, first

AT_ONCE = 2
LOG = "log.txt"  # in an experiment's folder: what it tells as it runs


def conduct_all(
    scale: str = "nano",
    out: str | os.PathLike[str] = "experiments",
    *,
    workers: int | None = None,
    threads: int | None = None,
    show: bool = True,
    **how: Any,
) -> list[dict[str, Any]]:
    """What every experiment found, each in the folder `out`/NAME-SCALE; `how` is as of `conduct`.

    Two at a time, each with half of the workers and threads, for one that judges leaves cores idle that the
    other can train on. Those that stand last in the registry take longest, and come first. What an experiment
    tells goes to log.txt in its folder; `show` tells when one ends. One that has finished is not run again,
    so that the same call goes on where it stopped. Where some fail the others are done, and then RunsFailed
    is raised. Raises BadInput for a scale that an experiment does not have.
    """
    names = registry.names("experiments")
    folders = {name: Path(out) / f"{name}-{scale}" for name in names}
    for name in names:
        registry.get("experiments", name)(name).at(scale)
    left = [name for name in reversed(names) if finished(name, scale, folders[name]) is None]
    cores = {"workers": workers or available_threads(), "threads": threads or torch.get_num_threads()}
    options = _options({**how, **{name: max(1, count // AT_ONCE) for name, count in cores.items()}})
    asked = {name: [name, "--scale", scale, "--out", str(folders[name]), *options] for name in left}
    failed = []
    done = len(names) - len(left)
    with progress("experiments", len(names), done, show) as report:
        for name, status in _ended(asked, folders, min(AT_ONCE, cores["workers"])):
            done += 1
            if status:
                log = folders[name] / LOG
                failed.append(f"{name}: {_last_line(log) if status > 0 else f'signal {-status}'} ({log})")
            if show:
                found = finished(name, scale, folders[name])
                say(f"{name}: {tally(found['claims']) if found else 'failed'}")
            report(done, f"{name} ended")
    if failed:
        raise RunsFailed("; ".join(failed))
    return [found for name in names if (found := finished(name, scale, folders[name]))]


def _options(how: Mapping[str, Any]) -> list[str]:
    """Arguments of `conduct` as options of the command."""
    words = []
    for name, value in how.items():
        if value is True:
            words.append(f"--{name}")
        elif value not in (None, False):
            words += [f"--{name}", str(value)]
    return words


def _ended(
    asked: Mapping[str, Sequence[str]], folders: Mapping[str, Path], at_once: int
) -> Iterator[tuple[str, int]]:
    """Run `distaff experiment` with each list of words, so many at once; each name and its exit status.

    When the caller stops early the processes are asked to end, and keep what they have done.
    """
    begun: list[Future[tuple[str, int]]] = []
    ended: queue.SimpleQueue[Future[tuple[str, int]]] = queue.SimpleQueue()
    processes = {name: Started() for name in asked}

    def run(name: str) -> tuple[str, int]:
        folders[name].mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", "distaff", "experiment", *asked[name]]
        with (folders[name] / LOG).open("ab") as log:
            process = processes[name].start(words, stdout=subprocess.DEVNULL, stderr=log)
            return name, process.wait()

    with ThreadPoolExecutor(at_once) as pool:
        try:
            with unbroken():  # an interrupt while a thread starts would leave the pool without it
                for name in asked:
                    begun.append(pool.submit(run, name))
                    begun[-1].add_done_callback(ended.put)
            for _ in asked:
                yield first(ended).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            end(processes.values(), begun)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it told nothing")
