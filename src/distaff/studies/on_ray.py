"""The tasks of a study on a Ray cluster. Every node needs distaff, and the study's folder at one path."""

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from distaff.errors import BadInput
from distaff.studies.plan import read_plan
from distaff.studies.worker import answer
from distaff.studies.workers import ATTEMPTS, Answer


def answers(study: Path, tasks: Sequence[str], address: str, data_dir: str | None) -> Iterator[Answer]:
    """Have the tasks done by the cluster, one core each, and tell of each as it ends."""
    os.environ.setdefault("RAY_DISABLE_USAGE_STATS", "1")
    try:
        import ray
    except ImportError:
        raise BadInput("--ray needs the package ray: pip install 'distaff[ray]'") from None
    try:
        _reach(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, OverflowError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(f"no Ray cluster answers at --ray {address}: {reason}") from None
    try:
        yield from _answers(ray, study.resolve(), tasks, data_dir)
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Fail now where nobody listens: Ray itself would wait for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if port.isdecimal():  # not auto, nor local
        socket.create_connection((host, int(port)), timeout=10).close()


def _answers(ray: Any, study: Path, tasks: Sequence[str], data_dir: str | None) -> Iterator[Answer]:
    remote = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(task_of)
    waiting = {remote.remote(str(study), task, data_dir): task for task in tasks}
    while waiting:
        ready, _ = ray.wait(list(waiting), num_returns=1)
        for reference in ready:
            task = waiting.pop(reference)
            try:
                yield from ray.get(reference)
            except ray.exceptions.RayError as error:
                yield Answer(task, str(error).strip().splitlines()[0])


def task_of(study: str, task: str, data_dir: str | None) -> list[Answer]:
    """What a node does."""
    if not Path(study).is_dir():
        missing = f"a worker does not see {study}; the study's folder must be shared by all nodes"
        return [Answer(task, missing)]
    return answer(Path(study), read_plan(Path(study)), task, data_dir)
