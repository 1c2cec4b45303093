"""This machine: its folders of data and caches, and its cores."""

import os
from pathlib import Path

from platformdirs import user_cache_dir

MOST_THREADS = 256


def data_folder(given: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder with original files and caches: as given, else DISTAFF_DATA, else none."""
    chosen = given or os.environ.get("DISTAFF_DATA")
    return Path(chosen) if chosen else None


def cache_folder() -> Path:
    """The folder of caches: DISTAFF_DATA, or `distaff` in the user's cache folder."""
    return data_folder() or Path(user_cache_dir("distaff", appauthor=False))


def cores() -> int:
    """The CPU cores this process may run on."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def available_threads() -> int:
    """How many threads training takes, or workers a study has, where no one says: one for each core."""
    return min(cores(), MOST_THREADS)


def usable_cores() -> int:
    """The cores that fits may take: OMP_NUM_THREADS where that is set, as in one of many workers, or all."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) > 0 else cores()
