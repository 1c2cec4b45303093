"""The tasks of a study on a Ray cluster. Every node needs distaff, and the study's folder at one path."""

import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from distaff.errors import BadInput
from distaff.studies.plan import read_plan
from distaff.studies.worker import answer
from distaff.studies.workers import ATTEMPTS, Answer

#: of a GPU, by kind of task: runs that are trained as one fill it, one alone leaves most of it idle
#: (benchmarks/gpu.py). What asks for none is not shown any.
OF_A_GPU = {"train": 1.0, "run": 0.25}


def answers(study: Path, tasks: Sequence[str], address: str, data_dir: str | None) -> Iterator[Answer]:
    """Have the tasks done by the cluster, and tell of each as it ends.

    A task has one core, and where the cluster has GPUs what it needs of one.
    """
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
    remote, there = ray.remote(task_of), ray.cluster_resources()
    waiting = {
        remote.options(**needs(task, there)).remote(str(study), task, data_dir): task for task in tasks
    }
    while waiting:
        ready, _ = ray.wait(list(waiting), num_returns=1)
        for reference in ready:
            task = waiting.pop(reference)
            try:
                yield from ray.get(reference)
            except ray.exceptions.RayError as error:
                yield Answer(task, str(error).strip().splitlines()[0])


def needs(task: str, cluster: Mapping[str, float]) -> dict[str, float]:
    """What a task is to have of a cluster's resources, and how often it is tried again."""
    gpus = OF_A_GPU.get(task.split()[0], 0.0) if cluster.get("GPU", 0) else 0.0
    return {"num_cpus": 1, "num_gpus": gpus, "max_retries": ATTEMPTS - 1}


def task_of(study: str, task: str, data_dir: str | None) -> list[Answer]:
    """What a node does."""
    if not Path(study).is_dir():
        missing = f"a worker does not see {study}; the study's folder must be shared by all nodes"
        return [Answer(task, missing)]
    return answer(Path(study), read_plan(Path(study)), task, data_dir)
