"""Runs in processes of their own, for faults.py: started, met at a chosen moment, and compared at the end.

The process trains and evaluates with the command line, but makes a checkpoint every 20 steps.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DATA = "--dataset dsprites --data resolution=16 --data orientation=4 --data x=16 --data y=16"
METHODS = {
    "beta_vae": "--steps 600 --set beta=2 --set latents=5",
    "factor_vae": "--steps 200 --set batch_size=16 --set latents=5",
}
SCORING = "--rows 15000 --metric mig --metric sap"
FILES = ("checkpoint.safetensors", "model.safetensors", "encoding.npz", "scores.json")
TRAINING, EVALUATION = (
    ("training", "checkpointing"),
    ("encoding", "writing codes", "scoring", "writing scores"),
)
LONGEST = {"starting": 3.0, "training": 0.6, "encoding": 2.0, "scoring": 1.0}  # seconds into a phase
PARTIAL = {"checkpointing": "checkpoint", "writing codes": "encoding", "writing scores": "scores"}


def drive(commands: list[list[str]], back: bool) -> None:
    """Commands of the command line one after the other; with `back`, clocks that run backwards."""
    from distaff.interrupt import listen

    listen()
    from distaff import cli
    from distaff.training import train

    train.LOG_EVERY, train.CHECKPOINT_SECONDS = 20, 0.0
    if back:
        began, now = (time.time(), time.monotonic()), time.monotonic
        time.time = lambda: began[0] - 1000 * (now() - began[1])
        time.monotonic = lambda: 2 * began[1] - now()
    for command in commands:
        sys.argv = ["distaff", *command]
        try:
            listen()  # again, because main leaves with the signals ignored
            cli.main()
        except SystemExit as done:
            if done.code:
                raise
        except KeyboardInterrupt:  # between two commands
            print("run the same command again", file=sys.stderr)
            sys.exit(130)


def start(method: str, folder: Path, *, back: bool = False, threads: int = 1) -> subprocess.Popen[str]:
    """Train and evaluate in `folder`, in a new process."""
    train = f"train {method} {DATA} {METHODS[method]} --threads {threads}".split()
    commands = [[*train, "--out", str(folder)], ["evaluate", str(folder), *SCORING.split()]]
    return subprocess.Popen(
        [sys.executable, __file__, json.dumps([commands, back])],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"XDG_CACHE_HOME": str(folder.parent / "cache")},
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """The exit status of a process and its lines, of which there is at least an empty one."""
    _, text = process.communicate(timeout=600)
    return process.returncode, text.splitlines() or [""]


def undisturbed(method: str, root: Path) -> Path:
    """The folder of a run that nothing happened to, made once."""
    folder = root / f"{method}-undisturbed"
    if not (folder / "scores.json").exists():
        status, lines = finish(start(method, folder))
        assert status == 0, lines
    return folder


def differing(folder: Path, whole: Path) -> list[str]:
    """The files of a run that are not those of the undisturbed one, and what should not be there."""
    absent = [name for name in FILES if not (folder / name).exists()]
    there = [name for name in FILES if name not in absent]
    other = [name for name in there if (folder / name).read_bytes() != (whole / name).read_bytes()]
    return [*absent, *other, *(path.name for path in folder.glob(".*.partial"))]


def ended(method: str, folder: Path, root: Path, **given: bool) -> str:
    """Run the commands to their end; what is wrong then, or ""."""
    status, lines = finish(start(method, folder, **given))
    return (
        f"status {status}, {lines[-1]}" if status else ", ".join(differing(folder, undisturbed(method, root)))
    )


def saved_step(folder: Path) -> int | None:
    """The step of the checkpoint that the next start has to resume, if there is one."""
    from safetensors import safe_open

    path = folder / "checkpoint.safetensors"
    if not path.exists() or (folder / "model.safetensors").exists():
        return None
    with safe_open(path, "np") as file:
        return int(file.get_tensor("step"))


def await_moment(phase: str, process: subprocess.Popen[str], folder: Path, chance: random.Random) -> bool:
    """Wait for a random moment of a phase. False where the process ended before."""
    before = _written(folder / "checkpoint.safetensors")
    signs: dict[str, Callable[[], bool]] = {
        "starting": lambda: True,
        "training": lambda: _written(folder / "checkpoint.safetensors") != before,
        "encoding": lambda: begun() and (folder / "model.safetensors").exists(),
        "scoring": lambda: begun() and (folder / "encoding.npz").exists(),
    }
    left = set(folder.glob(".*.partial"))  # by a process that was killed
    reached = signs.get(phase, lambda: bool(set(folder.glob(f".{PARTIAL[phase]}.*.partial")) - left))

    def begun() -> bool:
        lock = folder / ".lock"
        return lock.exists() and lock.read_text().startswith(f"{process.pid} ")

    while not reached():
        if process.poll() is not None:
            return False
        time.sleep(0.0005)
    time.sleep(LONGEST.get(phase, 0.0) * chance.random())
    return process.poll() is None


def _written(path: Path) -> int:
    """When a file was last written, 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def disturbed(
    number: int, method: str, phase: str, folder: Path, chance: random.Random
) -> tuple[bool, str, int, list[str]]:
    """Send a signal at a moment of a phase: whether it came, what is wrong, exit status and lines."""
    expected, process = saved_step(folder), start(method, folder)
    hit = await_moment(phase, process, folder, chance)
    if hit:
        process.send_signal(number)
    status, lines = finish(process)
    resumed = [int(line.split()[-1]) for line in lines if line.startswith("resumed at step")]
    wrong = ""
    if (expected is not None and phase != "starting" and resumed != [expected]) or 0 in resumed:
        wrong = f"resumed at {resumed}, the checkpoint was of step {expected}"
    if any("Traceback" in line for line in lines) and any("in main" in line for line in lines):
        wrong = " ".join(lines[-6:])  # Python's own, from before the program begins, does not count
    return hit, wrong, status, lines


if __name__ == "__main__":
    drive(*json.loads(sys.argv[1]))
