"""A worker of a study: a process that does one task after the other, as it reads them.

    python -m distaff.studies.worker STUDY [DATA_DIR]

A line of its input is `run ID` or `udr ID`; a line of JSON on its output answers it. It ends with its input.
"""

import contextlib
import sys
import time
import traceback
from pathlib import Path

import msgspec

from distaff.errors import BadInput, Diverged, InUse
from distaff.interrupt import listen
from distaff.studies.execute import add_udr, execute
from distaff.studies.plan import Plan, read_plan
from distaff.studies.workers import Answer

TASKS = {"run": execute, "udr": add_udr}


def answer(study: Path, plan: Plan, task: str, data_dir: str | None) -> Answer:
    """Do a task; what came of it."""
    kind, _, name = task.partition(" ")
    try:
        while True:
            try:
                TASKS[kind](study, plan, plan.by_id[name], data_dir)
                return Answer(task)
            except InUse:  # by a worker whose study was killed; it finishes what it is at
                time.sleep(1)
    except (BadInput, Diverged, OSError) as error:
        return Answer(task, " ".join(str(error).split()))
    except Exception as error:  # a defect: the study goes on, and keeps where it was
        return Answer(task, f"{type(error).__name__}: {error}", traceback.format_exc())


def main(study: str, data_dir: str | None = None) -> None:
    """Answer tasks until there are no more."""
    plan, answers = read_plan(Path(study)), sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # the answers alone go where the study reads
        for line in sys.stdin:
            found = msgspec.json.encode(answer(Path(study), plan, line.strip(), data_dir))
            print(found.decode(), file=answers, flush=True)


if __name__ == "__main__":
    listen()
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
