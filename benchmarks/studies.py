"""What the study engine takes, and what it survives.

    python benchmarks/studies.py                  # all parts, about half an hour on two cores
    python benchmarks/studies.py kills --count 50

`kills`: tiny runs, of whose workers a tenth is killed at random moments. `throughput`: two workers against
one. `overhead`: seconds a run that are not training, encoding or scoring. `collect`: seconds to collect
12,600 runs. Writes benchmarks/results/studies.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from circumstances import circumstances, keep

from distaff.files import write_json
from distaff.studies.execute import folder_of
from distaff.studies.locatello2019 import plan as locatello2019
from distaff.studies.plan import Plan, each, product, runs_of
from distaff.studies.study import Study

GRID = {"data.resolution": [16], "data.x": [8], "data.y": [8], "data.orientation": [2]}


def plan(seeds: int, steps: int, rows: int = 500) -> Plan:
    """Runs of beta_vae on a small grid of sprites."""
    part = product(
        each(method=["beta_vae"], dataset=["dsprites"], steps=[steps], strength=["beta"], **GRID),
        each(**{"set.beta": [1.0, 4.0], "set.batch_size": [16]}, seed=range(seeds)),
    )
    return Plan("benchmark", "tiny", runs_of(part), ("mig",), rows=rows, udr_mates=0)


def workers_of(folder: Path) -> list[int]:
    """The processes that work on a study."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"distaff.studies.worker" in words and str(folder).encode() in words:
            found.append(int(path.parent.name))
    return found


def kills(count: int, root: Path) -> dict[str, Any]:
    """`count` runs; after about every tenth a worker is killed."""
    study, chance, stop = Study(root / "study", plan(count // 2, 20)), random.Random(time.time_ns()), []
    killed = 0

    def kill() -> None:
        nonlocal killed
        while not stop:
            finished = len(list(study.folder.glob("runs/*/study.json")))
            if finished > 10 * killed:
                time.sleep(chance.random())
                for pid in chance.sample(found := workers_of(study.folder), min(1, len(found))):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
            time.sleep(0.1)

    thread = threading.Thread(target=kill)
    thread.start()
    began = time.perf_counter()
    counts = study.run(workers=2, show=False)
    stop.append(True)
    thread.join()
    table = study.results()
    return {
        "runs": counts["runs"],
        "done": counts["done"],
        "failed": counts["failed"],
        "workers killed": killed,
        "rows twice": int(table.duplicated(["run", "representation", "metric"]).sum()),
        "seconds": round(time.perf_counter() - began, 1),
    }


def throughput(count: int, root: Path) -> dict[str, Any]:
    """The same runs with one worker and with two, in turn."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for again in range(2):
        for workers in seconds:
            study = Study(root / f"{workers}-{again}", plan(count, 600))
            began = time.perf_counter()
            study.run(workers=workers, show=False)
            seconds[workers].append(time.perf_counter() - began)
    return {
        "seconds of one worker": seconds[1],
        "seconds of two": seconds[2],
        "two / one (>= 1.8)": min(seconds[1]) / min(seconds[2]),
    }


def overhead(count: int, root: Path) -> dict[str, Any]:
    """Seconds a run of hardly any training and scoring, start of the worker and collecting included."""
    study = Study(root / "study", plan(count // 2, 1, rows=50))
    began = time.perf_counter()
    study.run(workers=1, show=False)
    return {"seconds a run (< 3)": (time.perf_counter() - began) / count}


def collect(count: int, root: Path) -> dict[str, Any]:
    """The 12,600 runs of the paper's scale with made-up scores."""
    study = Study(root / "study", locatello2019("paper"))
    names = [f"metric{n}" for n in range(30)]
    for run in study.plan.runs[:count]:
        scores = {each: dict.fromkeys(names, 0.5) for each in ("mean", "sampled")}
        folder_of(study.folder, run).mkdir(parents=True)
        write_json(folder_of(study.folder, run) / "study.json", {"scores": scores, "metrics": {}})
    began = time.perf_counter()
    path = study.collect()
    return {
        "runs": count,
        "seconds (< 60)": time.perf_counter() - began,
        "rows": len(study.results()),
        "megabytes": path.stat().st_size / 1e6,
    }


PARTS: dict[str, tuple[Callable[[int, Path], dict[str, Any]], int]] = {
    "kills": (kills, 500),
    "throughput": (throughput, 10),
    "overhead": (overhead, 20),
    "collect": (collect, 12_600),
}


def main() -> None:
    """Measure the parts that were asked for, print and keep them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS), default=list(PARTS))
    parser.add_argument("--count", type=int, help="how many runs")
    asked = parser.parse_args()
    for name in asked.parts:
        part, usual = PARTS[name]
        with tempfile.TemporaryDirectory() as root:
            found = part(asked.count or usual, Path(root))
        print(name, json.dumps(found), flush=True)
        keep("studies.json", name, found | circumstances())


if __name__ == "__main__":
    main()
