"""One process at a time in a run folder."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from distaff.errors import InUse
from distaff.files import check_own


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder, or fail at once if another process does and say which. A dead one holds nothing."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system: no lock
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    check_own(path)
    with path.open("a+", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read(100).strip() or "of unknown number"
            raise InUse(
                f"{folder} is in use by another distaff process, {holder}; "
                "wait for it or choose another folder"
            ) from None
        with suppress(OSError):  # on a full disk the lock holds without it
            os.truncate(file.fileno(), 0)
            os.write(file.fileno(), f"{os.getpid()} on {platform.node()}".encode())
        yield
