"""One process at a time in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distaff.errors import BadInput


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder, or fail at once if another process does. A dead process holds nothing."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system: no lock
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                f"{folder} is in use by another distaff process; wait for it or choose another folder"
            ) from None
        yield
