"""A worker of a study: a process that does one task after the other, as it reads them.

    python -m distaff.studies.worker STUDY [DATA_DIR]

A line of its input is `train ID ID ...`, `run ID` or `udr ID`; a line of JSON on its output holds an answer
for each of these runs. It ends with its input.
"""

import contextlib
import os
import sys
import time
import traceback
from pathlib import Path

import msgspec

from distaff import registry
from distaff.errors import BadInput, Diverged, InUse
from distaff.interrupt import listen
from distaff.studies.as_one import train_as_one
from distaff.studies.execute import add_udr, execute
from distaff.studies.plan import Plan, read_plan
from distaff.studies.workers import Answer

TASKS = {"run": execute, "udr": add_udr}


def answer(study: Path, plan: Plan, task: str, data_dir: str | None) -> list[Answer]:
    """Do a task; what came of it for each of its runs."""
    kind, *names = task.split()
    runs = [plan.by_id[name] for name in names]
    try:
        while True:
            try:
                if kind == "train":
                    errors = train_as_one(study, runs, data_dir)
                    return [told(f"run {name}", errors.get(name)) for name in names]
                TASKS[kind](study, plan, runs[0], data_dir)
                return [Answer(task)]
            except InUse:  # by a worker whose study was killed; it finishes what it is at
                time.sleep(1)
    except Exception as error:
        return [told(task, error)]


def told(task: str, error: Exception | None) -> Answer:
    """An answer with the error in a line; of a defect, with which the study goes on, also where it was."""
    if error is None:
        return Answer(task)
    if isinstance(error, BadInput | Diverged | OSError):
        return Answer(task, " ".join(str(error).split()))
    where = "".join(traceback.format_exception(error))
    return Answer(task, f"{type(error).__name__}: {error}", where)


def main(study: str, data_dir: str | None = None) -> None:
    """Answer tasks until there are no more."""
    registry.register_all(os.environ.get(registry.REGISTERED, ""))
    plan, answers = read_plan(Path(study)), sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # the answers alone go where the study reads
        for line in sys.stdin:
            found = msgspec.json.encode(answer(Path(study), plan, line.strip(), data_dir))
            print(found.decode(), file=answers, flush=True)


if __name__ == "__main__":
    listen()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):  # of a study that was stopped or killed
        main(*sys.argv[1:])
