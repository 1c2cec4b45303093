"""What happens to runs when things go wrong, on this machine.

    python benchmarks/faults.py                          # everything, about half an hour
    python benchmarks/faults.py kills signals --count 10
    python benchmarks/faults.py fuzz --case 1234         # one hostile file again

`kills`: SIGKILL at random moments of training, checkpointing, encoding and scoring; the same command again
has to end with the bytes of an undisturbed run. `signals`: Ctrl-C and SIGTERM likewise, with exit status 130.
`lock`: two processes and one folder. `disk`: a full and a read-only disk (which takes root, to mount), files
removed meanwhile, clocks that run backwards. `threads`: bytes and scores with one thread and two. `fuzz`: see
fuzz.py. Writes benchmarks/results/faults.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import faults_runs as runs
import fuzz as files
from circumstances import circumstances, keep

TOLERANCE = 0.05  # between scores with other numbers of threads

# Signals


def rounds(count: int, root: Path, number: Callable[[], int], check: Callable[..., str]) -> dict[str, Any]:
    """So many disturbances of runs, ten each; every run is then ended and compared."""
    chance, phases, failures = random.Random(time.time_ns()), Counter[str](), []
    for n in range(count):
        if phases.total() >= count:
            break
        method, folder = list(runs.METHODS)[n % 2], root / f"broken-{n}"
        plan = ["starting", *chance.choices(runs.TRAINING, k=5), *runs.EVALUATION]
        for phase in plan[: count - phases.total()]:
            hit, wrong, status, lines = runs.disturbed(number(), method, phase, folder, chance)
            phases[phase] += hit
            wrong = wrong or (check(phase, status, lines, folder) if hit else "")
            failures += [f"{method}, {phase}: {wrong}"] * bool(wrong)
        wrong = runs.ended(method, folder, root)
        failures += [f"{method}, the end: {wrong}"] * bool(wrong)
    return {"tried": phases.total(), "phases": dict(phases), "failures": failures}


def kills(count: int, root: Path) -> dict[str, Any]:
    """SIGKILL at random moments."""
    return rounds(count, root, lambda: signal.SIGKILL, lambda *_: "")


def signals(count: int, root: Path) -> dict[str, Any]:
    """Ctrl-C and SIGTERM: what was begun is written, the status is 130, and a line says how to go on."""
    chance = random.Random(time.time_ns())
    return rounds(count, root, lambda: chance.choice((signal.SIGINT, signal.SIGTERM)), stopped_well)


def stopped_well(phase: str, status: int, lines: list[str], folder: Path) -> str:
    """What is wrong with how a process was stopped, or ""."""
    before_main = (1, -signal.SIGINT, -signal.SIGTERM)
    early = phase == "starting" and status in before_main
    done = phase in ("scoring", "writing scores") and status == 0  # when nothing was left but the exit
    if early or done:
        return ""
    if status != 130 or not any(words in lines[-1] for words in ("the same command again", "is finished")):
        return f"status {status}, {lines[-1]}"
    step = runs.saved_step(folder)
    lost = phase in runs.TRAINING and step is not None and f"stopped at step {step} " not in lines[-1]
    return f"{lines[-1]}, but step {step} is saved" if lost else ""


def lock(count: int, root: Path) -> dict[str, Any]:
    """A second process is told who holds the folder; after a kill the next one may have it."""
    failures = []
    for n in range(count):
        method, folder = list(runs.METHODS)[n % 2], root / f"shared-{n}"
        first = runs.start(method, folder)
        runs.await_moment("training", first, folder, random.Random(n))
        status, lines = runs.finish(runs.start(method, folder))
        if status != 2 or f"in use by another distaff process, {first.pid} on" not in lines[-1]:
            failures.append(f"the second: status {status}, {lines[-1]}")
        first.kill()
        runs.finish(first)
        failures += filter(None, [runs.ended(method, folder, root)])
    return {"tried": count, "failures": failures}


# Disk and clock


@contextmanager
def small_disk(root: Path, size: int) -> Iterator[Path]:
    """The folder of a run on a disk of so many bytes. PermissionError where this user may not mount one."""
    place = Path(tempfile.mkdtemp(dir=root))
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    if subprocess.run(words, capture_output=True).returncode:
        raise PermissionError("mounting a small disk takes root")
    try:
        yield place / "run"
    finally:
        subprocess.run(["umount", str(place)], check=True)


def remount(folder: Path, options: str) -> None:
    """Change the size or the mode of the disk of a run."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder.parent)], check=True)


def refused(method: str, folder: Path, said: str) -> str:
    """What is wrong with a command that has to end with status 2 and to say something, or ""."""
    status, lines = runs.finish(runs.start(method, folder))
    if status != 2 or said not in lines[-1] or any("Traceback" in line for line in lines):
        return f"status {status}, {lines[-1]}"
    return ", ".join(path.name for path in folder.glob(".*.partial"))


def full_disk(method: str, root: Path, held: int, room: float) -> str:
    """A disk that holds `held` of the files and `room` times the next, and is then made larger."""
    whole = runs.undisturbed(method, root)
    with small_disk(root, 2**30) as folder:
        folder.mkdir()
        for name in ("config.json", "history.jsonl", *runs.FILES[:held]) if held else ():
            shutil.copy(whole / name, folder)
        disk = os.statvfs(folder)
        used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        remount(folder, f"size={used + int(room * (whole / runs.FILES[held]).stat().st_size)}")
        wrong = refused(method, folder, "No space left on device")
        remount(folder, f"size={2**30}")
        return wrong or runs.ended(method, folder, root)


def read_only_disk(method: str, root: Path) -> str:
    """A run of which a part is there, on a disk that may not be written to for a while."""
    with small_disk(root, 2**30) as folder:
        runs.disturbed(signal.SIGKILL, method, "training", folder, random.Random(0))
        remount(folder, "ro")
        wrong = refused(method, folder, "Read-only file system")
        remount(folder, "rw")
        return wrong or runs.ended(method, folder, root)


def removed(method: str, root: Path, name: str) -> str:
    """A file, or without a name the folder, removed while the run is trained."""
    folder = Path(tempfile.mkdtemp(dir=root)) / "run"
    process = runs.start(method, folder)
    runs.await_moment("training", process, folder, random.Random(0))
    if name:
        (folder / name).unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)
    status, lines = runs.finish(process)
    if not name and (status != 2 or not lines[-1].startswith("distaff: ") or str(folder) not in lines[-1]):
        return f"status {status}, {lines[-1]}"
    if name and (status or runs.differing(folder, runs.undisturbed(method, root))):
        return f"status {status}, {lines[-1]}"
    return runs.ended(method, folder, root)


def clock_back(method: str, root: Path) -> str:
    """Both clocks run backwards."""
    return runs.ended(method, Path(tempfile.mkdtemp(dir=root)) / "run", root, back=True)


DISK: dict[str, Callable[[str, Path], str]] = {
    "full at once": lambda method, root: full_disk(method, root, 0, 0.002),
    "full at the first checkpoint": lambda method, root: full_disk(method, root, 0, 0.5),
    "full at the second checkpoint": lambda method, root: full_disk(method, root, 0, 1.5),
    "full at the end of training": lambda method, root: full_disk(method, root, 1, 0.5),
    "full at the codes": lambda method, root: full_disk(method, root, 2, 0.5),
    "full at the scores": lambda method, root: full_disk(method, root, 3, 0.0),
    "read-only": read_only_disk,
    "checkpoint removed": lambda method, root: removed(method, root, "checkpoint.safetensors"),
    "history removed": lambda method, root: removed(method, root, "history.jsonl"),
    "config removed": lambda method, root: removed(method, root, "config.json"),
    "folder removed": lambda method, root: removed(method, root, ""),
    "clocks backwards": clock_back,
}


def disk(count: int, root: Path) -> dict[str, Any]:
    """Full and read-only disks, files that vanish, and the clock; with each method in turn."""
    found: dict[str, str] = {}
    for n in range(count):
        name, method = list(DISK)[n % len(DISK)], list(runs.METHODS)[(n + n // len(DISK)) % 2]
        try:
            found[f"{name}, {method}"] = DISK[name](method, root) or "right"
        except PermissionError as error:
            found[f"{name}, {method}"] = f"not tried: {error}"
    tried = [name for name, what in found.items() if not what.startswith("not tried")]
    failures = [f"{name}: {found[name]}" for name in tried if found[name] != "right"]
    return {"tried": len(tried), "cases": found, "failures": failures}


# Threads, files


def threads(count: int, root: Path) -> dict[str, Any]:
    """The same run with one thread and with two, twice each, and how far the scores then differ."""
    failures, far = [], {}
    for method in list(runs.METHODS)[:count]:
        folders = {(n, again): root / f"{method}-{n}-{again}" for n in (1, 2) for again in (0, 1)}
        for (n, _), folder in folders.items():
            runs.finish(runs.start(method, folder, threads=n))
        for n in (1, 2):
            other = runs.differing(folders[n, 0], folders[n, 1])
            failures += [f"{method}, {n} threads twice: {other}"] * bool(other)
        one, two = (json.loads((folders[n, 0] / "scores.json").read_text())["scores"] for n in (1, 2))
        apart = {name: round(abs(one[name]["value"] - two[name]["value"]), 6) for name in one}
        failures += [f"{method}: {apart}"] * (max(apart.values()) > TOLERANCE)
        far[method] = apart
    return {"tried": 4 * count, "differences": far, "tolerance": TOLERANCE, "failures": failures}


def fuzz(count: int, root: Path, case: int | None = None) -> dict[str, Any]:
    """Hostile files."""
    results = files.run_cases(*((0, count) if case is None else (case, case + 1)), root)
    if case is not None:
        print(json.dumps(results, indent=2))
    failures = [result for result in results if result["outcome"] == "failed"]
    return {"tried": len(results), "subjects": files.summary(results), "failures": failures}


KINDS: dict[str, tuple[Callable[..., dict[str, Any]], int]] = {
    "kills": (kills, 50),
    "signals": (signals, 50),
    "lock": (lock, 2),
    "disk": (disk, 2 * len(DISK)),
    "threads": (threads, 2),
    "fuzz": (fuzz, 10_000),
}


def main() -> None:
    """Run the kinds that were asked for, print a table, and keep it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS), default=list(KINDS))
    parser.add_argument("--count", type=int, help="how many of each kind")
    parser.add_argument("--case", type=int, help="one case of fuzz again")
    asked = parser.parse_args()
    for kind in asked.kinds:
        run, usual = KINDS[kind]
        more = {} if asked.case is None else {"case": asked.case}
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(dir=files.MEMORY_DISK if kind == "fuzz" else None) as root:
            result = run(asked.count or usual, Path(root), **more)
        seconds, failures = round(time.perf_counter() - began), result["failures"]
        print(f"{kind:8} {result['tried']:6} tried  {len(failures):4} failed  {seconds:5} s", flush=True)
        for failure in failures:
            print(f"    {failure}", flush=True)
        if not more:
            root_too = {"root": os.geteuid() == 0}  # who may mount small disks
            keep("faults.json", kind, result | {"seconds": seconds} | root_too | circumstances())


if __name__ == "__main__":
    main()
