"""One process at a time in a folder: who holds it is named, and the dead hold nothing."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from distaff.errors import BadInput, InUse
from distaff.training.lock import only_one

HOLDER = """
import sys, time
from pathlib import Path
from distaff.training.lock import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_another_process_is_named_until_it_dies(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(InUse, match=f"process, {holder.pid} on {platform.node()}; wait"):
                only_one(folder).__enter__()
        finally:
            holder.kill()
    with only_one(folder):
        assert (folder / ".lock").read_text() == f"{os.getpid()} on {platform.node()}"
    assert [path.name for path in folder.iterdir()] == [".lock"]


def test_the_same_process_cannot_hold_it_twice(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(InUse, match=f"process, {os.getpid()} on "):
        only_one(tmp_path).__enter__()
    with only_one(tmp_path):
        pass


def test_a_link_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(BadInput, match="is not a file; remove it"):
        only_one(tmp_path).__enter__()
    assert (tmp_path / "precious").read_text() == "kept"
