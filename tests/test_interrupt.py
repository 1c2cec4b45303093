"""A signal during an import that swallows exceptions is not lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SWALLOWS = """
import sys, time
try:
    print("importing", flush=True)
    time.sleep(.5)
except BaseException:
    sys.exit("interrupted inside the import")
print("imported", flush=True)  # here, where no signal interrupts it: after the import one may come at once
"""
PROGRAM = """
import time
from distaff.interrupt import listen
listen()
try:
    import swallows
    time.sleep(30)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("moment", "printed"), [("importing", ["imported", "stopped"]), ("imported", ["stopped"])]
)
def test_a_signal_waits_for_the_end_of_an_import(
    number: int, moment: str, printed: list[str], tmp_path: Path
) -> None:
    (tmp_path / "swallows.py").write_text(SWALLOWS)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    ) as process:
        assert process.stdout
        while process.stdout.readline().strip() != moment:
            assert process.poll() is None
        process.send_signal(number)
        assert process.stdout.read().split() == printed
        assert process.wait() == 0
