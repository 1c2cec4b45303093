"""One process at a time in a run folder."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from distaff.errors import InUse
from distaff.files import check_own


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder, or fail at once if another process does and say which. A dead one holds nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".lock"
    check_own(path)
    holder = ""
    with suppress(OSError):  # there is none yet; and read before filelock 3 empties the file
        holder = " ".join(path.read_text(errors="replace")[:100].split())
    lock = FileLock(path)
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        raise InUse(
            f"{folder} is in use by another distaff process, {holder or 'of unknown number'}; "
            "wait for it or choose another folder"
        ) from None
    with held:
        if not isinstance(lock, SoftFileLock):  # which says so itself, where a file system knows no locks
            with suppress(OSError):  # on a full disk the lock holds without it
                path.write_text(f"{os.getpid()} on {platform.node()}")
        yield
